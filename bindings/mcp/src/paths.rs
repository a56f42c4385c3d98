//! The fence: paths that a client names lie in the opened repository, or are refused.

use std::path::{Component, Path, PathBuf};

use barograph::{Error, Result};
use serde_json::{Map, Value};

/// The names of arguments that are paths, or lists of them, in every operation.
const NAMES: [&str; 3] = ["path", "paths", "store"];

/// The name of arguments that are git remotes.
const REMOTE: &str = "remote";

/// The top of the repository, with every link resolved.
#[derive(Debug)]
pub(crate) struct Fence(PathBuf);

impl Fence {
    /// A fence around `top`.
    pub(crate) fn new(top: &Path) -> Result<Fence> {
        let resolved = top.canonicalize().map_err(|error| {
            Error::new(
                "git.not_a_repository",
                format!("`{}` cannot be resolved; name a folder", top.display()),
            )
            .because(&error)
        })?;
        Ok(Fence(resolved))
    }

    /// Makes every path among `args` absolute (a relative one starts at the top), or refuses it.
    /// A remote must be one of the repository's own, as git takes any path or address for one.
    pub(crate) fn check(&self, args: &mut Map<String, Value>) -> Result<()> {
        if let Some(Value::String(remote)) = args.get(REMOTE) {
            let outside = remote.starts_with(['/', '.', '~', '-']) || remote.contains([':', '\\']);
            if outside || remote.split('/').any(|part| part == "..") {
                return Err(Error::new(
                    "args.invalid",
                    format!("`{REMOTE}` is `{remote}`; name a remote of the repository, for example origin"),
                ));
            }
        }
        for name in NAMES {
            let texts = match args.get_mut(name) {
                Some(Value::Array(items)) => items.iter_mut().collect(),
                Some(value) => vec![value],
                None => Vec::new(),
            };
            for value in texts {
                if let Value::String(text) = value {
                    *text = self.resolve(name, text)?;
                }
            }
        }
        Ok(())
    }

    fn resolve(&self, name: &str, text: &str) -> Result<String> {
        let refuse = |why: &str| {
            Error::new(
                "args.invalid",
                format!("`{name}` is `{text}`, which {why}; name a path in the repository"),
            )
            .with("repository", self.0.display())
        };
        let typed = Path::new(text);
        for component in typed.components() {
            match component {
                Component::ParentDir => return Err(refuse("holds `..`")),
                // Git's own files are git's to write.
                Component::Normal(part) if part.eq_ignore_ascii_case(".git") => {
                    return Err(refuse("lies in git's own folder"));
                }
                _ => {}
            }
        }
        let path = self.0.join(typed);
        // What is not there yet is judged by the nearest folder above it that is.
        let mut known = path.as_path();
        let mut rest = PathBuf::new();
        let resolved = loop {
            match known.canonicalize() {
                Ok(resolved) => break resolved,
                // A link that leads nowhere could be made to lead anywhere.
                Err(_) if known.symlink_metadata().is_ok() => return Err(refuse("is a broken link")),
                Err(_) => {}
            }
            let (Some(parent), Some(last)) = (known.parent(), known.file_name()) else {
                return Err(refuse("cannot be resolved"));
            };
            rest =
                if rest.as_os_str().is_empty() { PathBuf::from(last) } else { Path::new(last).join(&rest) };
            known = parent;
        };
        if !resolved.starts_with(&self.0) {
            return Err(refuse("lies outside the repository"));
        }
        let inside = resolved.strip_prefix(&self.0).unwrap_or(&resolved);
        if inside.components().any(|part| part.as_os_str().eq_ignore_ascii_case(".git")) {
            return Err(refuse("lies in git's own folder"));
        }
        let whole = if rest.as_os_str().is_empty() { resolved } else { resolved.join(rest) };
        whole.into_os_string().into_string().map_err(|_| refuse("is not UTF-8"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_remotes_by_name_pass() {
        let fence = Fence::new(&std::env::temp_dir()).unwrap();
        let check = |remote: &str| fence.check(&mut Map::from_iter([(REMOTE.to_owned(), remote.into())]));
        for good in ["origin", "team/fork", "up-stream.2"] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in [
            "/srv/other",
            "../other",
            "a/../../b",
            "https://x/y",
            "host:path",
            "ext::sh -c x",
            "--upload-pack=x",
            "~/x",
        ] {
            assert_eq!(check(bad).unwrap_err().code(), "args.invalid", "{bad}");
        }
    }

    #[test]
    fn only_paths_in_the_repository_pass() {
        let home = std::env::temp_dir().join(format!("barograph-fence-{}", std::process::id()));
        let top = home.join("top");
        std::fs::create_dir_all(top.join("sub/.git")).unwrap();
        std::fs::write(home.join("secret"), "x").unwrap();
        let fence = Fence::new(&top).unwrap();
        let real = top.canonicalize().unwrap();
        let passes = |text: &str| fence.resolve("path", text);
        assert_eq!(passes("a.pack").unwrap(), real.join("a.pack").display().to_string());
        assert_eq!(passes("new/er/a.pack").unwrap(), real.join("new/er/a.pack").display().to_string());
        assert_eq!(
            passes(&real.join("sub").display().to_string()).unwrap(),
            real.join("sub").display().to_string()
        );
        for bad in ["../secret", "sub/../../secret", "/etc/passwd", ".git/config", "sub/.GIT/hooks/x"] {
            assert_eq!(passes(bad).unwrap_err().code(), "args.invalid", "{bad}");
        }
        let listed = |paths: &[&str]| {
            let mut args = Map::from_iter([("paths".to_owned(), paths.to_vec().into())]);
            fence.check(&mut args).map(|()| args["paths"][0].as_str().unwrap_or_default().to_owned())
        };
        assert_eq!(listed(&["sub"]).unwrap(), real.join("sub").display().to_string());
        assert_eq!(listed(&["sub", "../secret"]).unwrap_err().code(), "args.invalid");
        #[cfg(unix)]
        {
            use std::os::unix::fs::symlink;
            symlink(&home, top.join("out")).unwrap();
            symlink(home.join("nowhere"), top.join("broken")).unwrap();
            symlink(top.join("sub/.git"), top.join("git")).unwrap();
            for bad in ["out/secret", "out/new", "broken", "git/config"] {
                assert_eq!(passes(bad).unwrap_err().code(), "args.invalid", "{bad}");
            }
        }
        std::fs::remove_dir_all(home).unwrap();
    }
}
