//! Lists and maps whose clones share what they have in common, so that a history is continued
//! without being copied.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

/// Elements of a full block.
const BLOCK: usize = 1 << BITS;
const BITS: u32 = 9;

/// A list that only grows or is cut; a clone costs a pointer per block.
#[derive(Clone, Debug)]
pub(super) struct List<T> {
    /// All full but the last.
    blocks: Vec<Arc<Vec<T>>>,
    length: usize,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        List { blocks: Vec::new(), length: 0 }
    }
}

impl<T: Clone> List<T> {
    pub fn len(&self) -> usize {
        self.length
    }

    pub fn get(&self, at: usize) -> Option<&T> {
        self.blocks.get(at >> BITS)?.get(at & (BLOCK - 1))
    }

    pub fn get_mut(&mut self, at: usize) -> Option<&mut T> {
        Arc::make_mut(self.blocks.get_mut(at >> BITS)?).get_mut(at & (BLOCK - 1))
    }

    pub fn push(&mut self, value: T) {
        if self.length.is_multiple_of(BLOCK) {
            self.blocks.push(Arc::new(Vec::with_capacity(if self.length == 0 { 4 } else { BLOCK })));
        }
        if let Some(block) = self.blocks.last_mut() {
            Arc::make_mut(block).push(value);
            self.length += 1;
        }
    }

    /// Makes the list as long as this, filled up with `value`.
    pub fn resize(&mut self, length: usize, value: T) {
        self.truncate(length);
        while self.length < length {
            self.push(value.clone());
        }
    }

    pub fn truncate(&mut self, length: usize) {
        if length >= self.length {
            return;
        }
        self.blocks.truncate(length.div_ceil(BLOCK));
        self.length = length;
        if !length.is_multiple_of(BLOCK)
            && let Some(block) = self.blocks.last_mut()
        {
            Arc::make_mut(block).truncate(length % BLOCK);
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &T> + Clone + '_ {
        self.blocks.iter().flat_map(|block| block.iter())
    }

    /// The elements from `at` on.
    pub fn iter_from(&self, at: usize) -> impl Iterator<Item = &T> + '_ {
        let skip = at & (BLOCK - 1);
        self.blocks.iter().skip(at >> BITS).flat_map(|block| block.iter()).skip(skip)
    }
}

impl<T: Clone + PartialEq> List<T> {
    /// Whether this list begins with all of the other.
    pub fn starts_with(&self, other: &List<T>) -> bool {
        other.length <= self.length
            && self.blocks.iter().zip(&other.blocks).all(|(a, b)| Arc::ptr_eq(a, b) || a.starts_with(b))
    }
}

impl<T: Clone> std::ops::Index<usize> for List<T> {
    type Output = T;

    fn index(&self, at: usize) -> &T {
        &self.blocks[at >> BITS][at & (BLOCK - 1)]
    }
}

impl<T: Clone> FromIterator<T> for List<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        let mut list = List::default();
        values.into_iter().for_each(|value| list.push(value));
        list
    }
}

/// Elements of a block of slices.
const SLICE_BLOCK: usize = 1 << SLICE_BITS;
const SLICE_BITS: u32 = 12;

/// Slices one after the other; each stands in one block, which is longer where the slice is.
#[derive(Clone, Debug)]
pub(super) struct Slices<T> {
    blocks: Vec<Arc<Vec<T>>>,
}

impl<T> Default for Slices<T> {
    fn default() -> Self {
        Slices { blocks: Vec::new() }
    }
}

/// Where a slice stands: its start and how many elements it has.
pub(super) type Span = (u32, u32);

impl<T: Clone> Slices<T> {
    pub fn push(&mut self, slice: &[T]) -> Span {
        if self.blocks.last().is_none_or(|block| block.len() + slice.len() > SLICE_BLOCK) {
            self.blocks.push(Arc::default());
        }
        let number = self.blocks.len() - 1;
        let block = Arc::make_mut(&mut self.blocks[number]);
        let start = (number << SLICE_BITS) + block.len();
        block.extend_from_slice(slice);
        (start as u32, slice.len() as u32)
    }

    pub fn get(&self, (start, count): Span) -> &[T] {
        let at = start as usize & (SLICE_BLOCK - 1);
        self.blocks
            .get(start as usize >> SLICE_BITS)
            .and_then(|block| block.get(at..at + count as usize))
            .unwrap_or_default()
    }
}

/// A map of two layers: one that clones share, and what has come since.
#[derive(Clone, Debug)]
pub(super) struct Map<K, V, S = std::hash::RandomState> {
    base: Arc<HashMap<K, V, S>>,
    recent: Arc<HashMap<K, V, S>>,
}

impl<K, V, S: Default> Default for Map<K, V, S> {
    fn default() -> Self {
        Map { base: Arc::default(), recent: Arc::default() }
    }
}

impl<K: Clone + Eq + Hash, V: Clone, S: Clone + Default + BuildHasher> Map<K, V, S> {
    pub fn get(&self, key: &K) -> Option<&V> {
        self.recent.get(key).or_else(|| self.base.get(key))
    }

    pub fn insert(&mut self, key: K, value: V) {
        if self.recent.is_empty()
            && let Some(base) = Arc::get_mut(&mut self.base)
        {
            base.insert(key, value);
            return;
        }
        Arc::make_mut(&mut self.recent).insert(key, value);
        if self.recent.len() > 256 + self.base.len() / 16 {
            self.merge();
        }
    }

    /// Changes the value of a key, the default one where there is none.
    pub fn update(&mut self, key: K, change: impl FnOnce(&mut V))
    where
        V: Default,
    {
        if self.recent.is_empty()
            && let Some(base) = Arc::get_mut(&mut self.base)
        {
            change(base.entry(key).or_default());
            return;
        }
        let mut value = self.get(&key).cloned().unwrap_or_default();
        change(&mut value);
        self.insert(key, value);
    }

    /// Gets ready for many insertions.
    pub fn expect(&mut self, more: usize) {
        if more > 256 + self.base.len() / 16 {
            self.merge();
        }
    }

    fn merge(&mut self) {
        let recent = std::mem::take(&mut self.recent);
        let base = Arc::make_mut(&mut self.base);
        base.extend(recent.iter().map(|(key, value)| (key.clone(), value.clone())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_of_a_list_do_not_see_each_other() {
        for length in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 7] {
            let list: List<usize> = (0..length).collect();
            let mut longer = list.clone();
            (length..length + 600).for_each(|number| longer.push(number));
            assert_eq!(list.iter().copied().collect::<Vec<_>>(), (0..length).collect::<Vec<_>>());
            assert_eq!(longer.iter().copied().collect::<Vec<_>>(), (0..length + 600).collect::<Vec<_>>());
            assert!(longer.starts_with(&list) && !list.starts_with(&longer));
            for from in [0, length / 2, length, BLOCK] {
                let rest: Vec<usize> = longer.iter_from(from).copied().collect();
                assert_eq!(rest, (from.min(length + 600)..length + 600).collect::<Vec<_>>());
            }
            let mut shorter = longer.clone();
            shorter.truncate(length / 2);
            shorter.push(7);
            assert_eq!((shorter.len(), shorter[length / 2]), (length / 2 + 1, 7));
            assert_eq!(shorter.get(length / 2 + 1), None);
            assert_eq!(longer.len(), length + 600);
            if let Some(first) = longer.get_mut(0) {
                *first = 99;
            }
            assert!(length == 0 || list[0] == 0 && !longer.starts_with(&list));
        }
    }

    #[test]
    fn slices_stay_whole() {
        let mut slices = Slices::default();
        let sizes = [0, 3, SLICE_BLOCK - 3, 1, 3 * SLICE_BLOCK, 2, 0, SLICE_BLOCK, 5];
        let spans: Vec<_> = sizes.iter().map(|size| slices.push(&vec![*size; *size])).collect();
        let copy = slices.clone();
        slices.push(&[1, 2]);
        for (span, size) in spans.into_iter().zip(sizes) {
            assert_eq!(copy.get(span), vec![size; size]);
        }
    }

    #[test]
    fn clones_of_a_map_do_not_see_each_other() {
        let mut map: Map<u32, u32> = Map::default();
        (0..1000).for_each(|key| map.insert(key, key));
        let before = map.clone();
        for key in 500..3000 {
            map.update(key, |value| *value += 1);
        }
        for key in 0..3000 {
            assert_eq!(before.get(&key), (key < 1000).then_some(&key));
            let expected = if key < 500 {
                key
            } else if key < 1000 {
                key + 1
            } else {
                1
            };
            assert_eq!(map.get(&key), Some(&expected));
        }
        let mut copy = before.clone();
        copy.expect(5000);
        copy.insert(1, 77);
        assert_eq!((copy.get(&1), before.get(&1)), (Some(&77), Some(&1)));
    }
}
