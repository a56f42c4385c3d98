//! Lengths of time as they are typed and read: `500ms`, `30s`, `5m`, `12h`, `30d`.

/// Units with their milliseconds, longest first.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// How a duration is typed; said wherever one is refused or asked for.
pub(crate) const HOW: &str = "500ms, 30s, 5m, 12h or 30d";

/// The milliseconds of a text like `1h30m`.
///
/// A number without a unit is refused: who types 30 to prune means days, and not milliseconds.
pub(crate) fn parse(text: &str) -> Result<u64, String> {
    if text == "0" {
        return Ok(0);
    }
    let refused = || format!("not a duration; write {HOW}");
    let (mut whole, mut rest, mut longest) = (0u64, text, u64::MAX);
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit()).ok_or_else(refused)?;
        let (number, after) = rest.split_at(digits);
        let letters = after.find(|letter: char| letter.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let size = UNITS.iter().find(|known| known.0 == unit).ok_or_else(refused)?.1;
        if size >= longest {
            return Err(refused());
        }
        let number: u64 = number.parse().map_err(|_| refused())?;
        whole = number.checked_mul(size).and_then(|part| whole.checked_add(part)).ok_or_else(refused)?;
        (rest, longest) = (after, size);
    }
    if text.is_empty() { Err(refused()) } else { Ok(whole) }
}

/// Milliseconds as they would be typed: `30d`, `1h30m`.
pub(crate) fn typed(mut ms: u64) -> String {
    let mut text = String::new();
    for (unit, size) in UNITS {
        if ms >= size {
            text += &format!("{}{unit}", ms / size);
            ms %= size;
        }
    }
    if text.is_empty() { "0".to_owned() } else { text }
}

/// Milliseconds as a person reads them at a glance: `350 ms`, `1.2 s`, `3 min`, `5 h`, `12 d`.
pub(crate) fn read(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..10_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        10_000..60_000 => format!("{} s", ms / 1_000),
        60_000..3_600_000 => format!("{} min", ms / 60_000),
        3_600_000..172_800_000 => format!("{} h", ms / 3_600_000),
        _ => format!("{} d", ms / 86_400_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_numbers_with_units() {
        for (text, ms) in
            [("0", 0), ("500ms", 500), ("30s", 30_000), ("1h30m", 5_400_000), ("30d", 2_592_000_000)]
        {
            assert_eq!(parse(text), Ok(ms), "{text}");
            assert_eq!(typed(ms), text);
        }
        assert_eq!(parse("90m"), Ok(5_400_000));
        for text in ["", "30", "5 m", "m", "-5m", "5m1h", "5m5m", "1.5h", "5min", "99999999999999999999d"] {
            assert!(parse(text).is_err_and(|why| why.contains(HOW)), "{text}");
        }
    }

    #[test]
    fn durations_are_read_at_a_glance() {
        for (ms, text) in [
            (7, "7 ms"),
            (1_250, "1.2 s"),
            (59_999, "59 s"),
            (60_000, "1 min"),
            (7_200_000, "2 h"),
            (172_800_000, "2 d"),
        ] {
            assert_eq!(read(ms), text);
        }
    }
}
