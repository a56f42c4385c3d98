use std::collections::{HashMap, hash_map::{self, Entry as E}};
use crate::base::*;
use super::thing;
pub use serde;
extern crate alloc as mem;
mod child;
pub mod inner {
    pub fn inside() {}
}

pub const MAX: u32 = 3;
static STATE: Cell<u32> = Cell::new(0);

#[derive(Debug)]
pub struct Shape<T> { pub size: u32, inner: Vec<T> }
pub enum Color { Red, Green(u8) }
pub trait Draw: Base { const N: u32; type Out; fn draw(&self) -> Self::Out; fn twice(&self) { self.draw(); } }
impl<T> Draw for Shape<T> { type Out = (); fn draw(&self) -> () { helper::<T>(1); crate::a::go(); } }
impl Shape<u8> {
    pub fn new() -> Self { let x = vec![1]; println!("{}", hidden()); Shape { size: 1, inner: x.iter().collect::<Vec<_>>() } }
    fn private(&self) { fn local() {} const L: u8 = 1; log::warn!("x"); }
}
macro_rules! shout { () => {} }
type Short = std::io::Result<()>;
union Raw { a: u8 }
