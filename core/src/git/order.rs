//! The order of history: topological, always the least (committer time, id) of those whose
//! parents are all out.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use gix::ObjectId;

/// A commit in a graph of numbered commits.
pub(super) struct Node {
    /// Committer time and id.
    pub key: (i64, ObjectId),
    /// The parents that are in the graph, by number.
    pub parents: Vec<u32>,
}

/// Every node once, in order.
pub(super) fn topological(nodes: &[Node]) -> Vec<u32> {
    let mut waiting: Vec<u32> = Vec::with_capacity(nodes.len());
    let mut starts = vec![0u32; nodes.len() + 1];
    for node in nodes {
        waiting.push(node.parents.len() as u32);
        for parent in &node.parents {
            starts[*parent as usize + 1] += 1;
        }
    }
    for at in 0..nodes.len() {
        starts[at + 1] += starts[at];
    }
    let mut children = vec![0u32; starts[nodes.len()] as usize];
    let mut next = starts.clone();
    for (at, node) in nodes.iter().enumerate() {
        for parent in &node.parents {
            let slot = &mut next[*parent as usize];
            children[*slot as usize] = at as u32;
            *slot += 1;
        }
    }
    let mut ready: BinaryHeap<Reverse<((i64, ObjectId), u32)>> = (0..nodes.len())
        .filter(|at| waiting[*at] == 0)
        .map(|at| Reverse((nodes[at].key, at as u32)))
        .collect();
    let mut order = Vec::with_capacity(nodes.len());
    while let Some(Reverse((_, at))) = ready.pop() {
        order.push(at);
        for child in &children[starts[at as usize] as usize..starts[at as usize + 1] as usize] {
            let waiting = &mut waiting[*child as usize];
            *waiting -= 1;
            if *waiting == 0 {
                ready.push(Reverse((nodes[*child as usize].key, *child)));
            }
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_ready_commit_comes_next() {
        let id = |byte: u8| ObjectId::from_bytes_or_panic(&[byte; 20]);
        let node = |time, byte, parents: &[u32]| Node { key: (time, id(byte)), parents: parents.to_vec() };
        // 0 and 3 are roots; 2 is older than its parent 1 but must wait for it; 4 merges twice the same.
        let nodes = [
            node(5, 9, &[]),
            node(9, 1, &[0]),
            node(1, 2, &[1]),
            node(5, 8, &[]),
            node(9, 0, &[3, 3]),
            node(99, 0, &[2, 4]),
        ];
        assert_eq!(topological(&nodes), [3, 0, 4, 1, 2, 5]);
    }
}
