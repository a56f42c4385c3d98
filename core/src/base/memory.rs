//! What the process takes of the machine's memory.

/// Bytes of files that are mapped and in memory now; `None` where the system does not say.
pub fn mapped() -> Option<u64> {
    // Only Linux has the file. Its third number counts pages of 4 KiB where this is built for.
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split_whitespace().nth(2)?.parse().ok()?;
    Some(pages * 4096)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_running_program_is_mapped() {
        if std::path::Path::new("/proc/self/statm").exists() {
            assert!(super::mapped().is_some_and(|bytes| bytes > 0));
        }
    }
}
