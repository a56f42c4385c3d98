//! What is known of a file from outside of it: handed in, as nothing here opens a repository.

/// What `.gitattributes` say of a file; `None` where they say nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct FileFacts {
    /// The language, by linguist's name (`linguist-language`).
    pub language: Option<String>,
    /// Whether a tool wrote it (`linguist-generated`).
    pub generated: Option<bool>,
    /// Whether it is somebody else's (`linguist-vendored`).
    pub vendored: Option<bool>,
    /// Whether it counts as code (`linguist-detectable`).
    pub detectable: Option<bool>,
}

/// Tells what is known of files.
pub trait Outside {
    /// Whether something is said besides what `.gitattributes` files on the way say.
    fn is_mentioned(&self) -> bool;

    /// The facts of the file at `path`, relative to the top, `/` between components.
    fn facts(&mut self, path: &[u8]) -> FileFacts;
}
