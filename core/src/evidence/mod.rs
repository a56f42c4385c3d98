//! What tools found out about code, as plain data: findings.

pub mod record;
