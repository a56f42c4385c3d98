//! Suffix arrays of number sequences, in linear time and space.
//!
//! Nong, Zhang and Chan, "Linear Suffix Array Construction by Almost Pure Induced-Sorting", 2009;
//! longest common prefixes by Kasai et al. 2001.

/// The starts of all suffixes of `text` in their order; every number is below `upper`.
pub(super) fn suffix_array(text: &[u32], upper: usize) -> Vec<u32> {
    match text.len() {
        0 => return Vec::new(),
        1 => return vec![0],
        _ => {}
    }
    let n = text.len();
    // Whether a suffix is smaller than the one behind it.
    let mut smaller = vec![false; n];
    for at in (0..n - 1).rev() {
        smaller[at] = if text[at] == text[at + 1] { smaller[at + 1] } else { text[at] < text[at + 1] };
    }
    // Where the larger and the smaller suffixes of each first number begin.
    let mut larger_from = vec![0u32; upper + 1];
    let mut smaller_from = vec![0u32; upper + 1];
    for at in 0..n {
        if smaller[at] {
            larger_from[text[at] as usize + 1] += 1;
        } else {
            smaller_from[text[at] as usize] += 1;
        }
    }
    for letter in 0..upper {
        smaller_from[letter] += larger_from[letter];
        larger_from[letter + 1] += smaller_from[letter];
    }
    let is_first_smaller = |at: usize| at > 0 && smaller[at] && !smaller[at - 1];
    let mut starts: Vec<u32> = Vec::new();
    let mut number_of = vec![NONE; n];
    for (at, number) in number_of.iter_mut().enumerate() {
        if is_first_smaller(at) {
            *number = starts.len() as u32;
            starts.push(at as u32);
        }
    }
    let mut order = vec![NONE; n];
    induce(text, &smaller, &smaller_from, &larger_from, &starts, &mut order);
    if starts.is_empty() {
        return order;
    }
    let sorted: Vec<u32> = order.iter().copied().filter(|at| number_of[*at as usize] != NONE).collect();
    let mut inner = vec![0u32; starts.len()];
    let mut last = 0u32;
    for pair in sorted.windows(2) {
        let (left, right) = (pair[0] as usize, pair[1] as usize);
        let end = |at: usize| starts.get(number_of[at] as usize + 1).map_or(n, |end| *end as usize);
        let (left_end, right_end) = (end(left), end(right));
        let same = left_end - left == right_end - right
            && left_end < n
            && right_end < n
            && text[left..=left_end] == text[right..=right_end];
        last += u32::from(!same);
        inner[number_of[right] as usize] = last;
    }
    drop(number_of);
    let inner_order = suffix_array(&inner, last as usize + 1);
    let sorted: Vec<u32> = inner_order.iter().map(|at| starts[*at as usize]).collect();
    induce(text, &smaller, &smaller_from, &larger_from, &sorted, &mut order);
    order
}

const NONE: u32 = u32::MAX;

/// Sorts all suffixes by those of `starts`, which are in order.
fn induce(
    text: &[u32],
    smaller: &[bool],
    smaller_from: &[u32],
    larger_from: &[u32],
    starts: &[u32],
    order: &mut [u32],
) {
    let n = text.len();
    order.fill(NONE);
    let mut next = smaller_from.to_vec();
    for start in starts {
        let slot = &mut next[text[*start as usize] as usize];
        order[*slot as usize] = *start;
        *slot += 1;
    }
    next.copy_from_slice(larger_from);
    let slot = &mut next[text[n - 1] as usize];
    order[*slot as usize] = (n - 1) as u32;
    *slot += 1;
    for at in 0..n {
        let suffix = order[at];
        if suffix != NONE && suffix >= 1 && !smaller[suffix as usize - 1] {
            let slot = &mut next[text[suffix as usize - 1] as usize];
            order[*slot as usize] = suffix - 1;
            *slot += 1;
        }
    }
    next.copy_from_slice(larger_from);
    for at in (0..n).rev() {
        let suffix = order[at];
        if suffix != NONE && suffix >= 1 && smaller[suffix as usize - 1] {
            let slot = &mut next[text[suffix as usize - 1] as usize + 1];
            *slot -= 1;
            order[*slot as usize] = suffix - 1;
        }
    }
}

/// How many numbers each suffix shares with the one before it in `order`; the first shares none.
pub(super) fn shared_prefixes(text: &[u32], order: &[u32]) -> Vec<u32> {
    let mut rank = vec![0u32; text.len()];
    for (at, suffix) in order.iter().enumerate() {
        rank[*suffix as usize] = at as u32;
    }
    let mut shared = vec![0u32; text.len()];
    let mut length = 0usize;
    for (at, rank) in rank.iter().enumerate() {
        let rank = *rank as usize;
        if rank == 0 {
            length = 0;
            continue;
        }
        let before = order[rank - 1] as usize;
        length +=
            text[at + length..].iter().zip(&text[before + length..]).take_while(|(a, b)| a == b).count();
        shared[rank] = length as u32;
        length = length.saturating_sub(1);
    }
    shared
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &[u32]) {
        let upper = text.iter().max().map_or(0, |most| *most as usize + 1);
        let order = suffix_array(text, upper);
        let mut expected: Vec<u32> = (0..text.len() as u32).collect();
        expected.sort_by_key(|at| &text[*at as usize..]);
        assert_eq!(order, expected, "{text:?}");
        let shared = shared_prefixes(text, &order);
        for (at, pair) in order.windows(2).enumerate() {
            let (left, right) = (&text[pair[0] as usize..], &text[pair[1] as usize..]);
            let count = left.iter().zip(right).take_while(|(a, b)| a == b).count();
            assert_eq!(shared[at + 1] as usize, count, "{text:?}");
        }
    }

    #[test]
    fn suffixes_are_in_order_as_if_sorted_one_by_one() {
        check(&[]);
        check(&[0]);
        check(&[1, 0, 2, 0, 2, 0]);
        check(&[0; 50]);
        let mut state = 7u64;
        let mut random = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as u32
        };
        for round in 0..300 {
            let length = random() % 200;
            let letters = 1 + round % 9;
            check(&(0..length).map(|_| random() % letters).collect::<Vec<_>>());
        }
    }
}
