//! Training of the shipped models: reading the tables, fitting, measuring, writing the card.

pub mod card;
pub mod table;
pub mod training;
pub mod words;
