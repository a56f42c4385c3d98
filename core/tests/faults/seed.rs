//! Numbers from a seed, and how long a run may take.

use std::time::{Duration, Instant};

/// Numbers from a seed (Steele, Lea and Flood 2014).
#[derive(Clone)]
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    /// The same things in another order.
    pub fn shuffle<T>(&mut self, things: &mut [T]) {
        for at in (1..things.len()).rev() {
            things.swap(at, self.below(at + 1));
        }
    }
}

/// `BAROGRAPH_FAULT_SEED`, 1 where it is not given.
pub fn seed() -> u64 {
    std::env::var("BAROGRAPH_FAULT_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1)
}

/// How much a test looks at: a fixed part, or as much as `BAROGRAPH_FAULT_SECONDS` allow each test.
pub enum Budget {
    Cases(usize),
    Until(Instant),
}

impl Budget {
    pub fn of(cases: usize) -> Budget {
        match std::env::var("BAROGRAPH_FAULT_SECONDS").ok().and_then(|seconds| seconds.parse().ok()) {
            Some(seconds) => Budget::Until(Instant::now() + Duration::from_secs(seconds)),
            None => Budget::Cases(cases),
        }
    }

    /// Whether `done` cases are all that it allows.
    pub fn is_spent(&self, done: usize) -> bool {
        match self {
            Budget::Cases(cases) => done >= *cases,
            Budget::Until(end) => Instant::now() >= *end,
        }
    }
}
