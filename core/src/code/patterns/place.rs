//! What a path says of a file: tests, and what is run by hand rather than shipped.

/// Whether the file belongs to tests, by the habits of the languages that are read.
pub(super) fn is_test(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    let (folders, file) = path.rsplit_once('/').unwrap_or(("", &path));
    let stem = file.split('.').next().unwrap_or(file);
    // `src/test/java`, `tests/`, `__tests__/`, `e2e-tests/`, `testdata/`, `jmh-benchmarks` is no test.
    let folder = folders.split('/').any(|part| {
        matches!(
            part,
            "test"
                | "tests"
                | "testing"
                | "__tests__"
                | "spec"
                | "specs"
                | "e2e"
                | "testdata"
                | "fixtures"
                | "__mocks__"
                | "mocks"
                | "testsuite"
                | "integration_tests"
                | "testutil"
                | "testutils"
        ) || part.starts_with("test-")
            || part.ends_with("-test")
            || part.ends_with("-tests")
            || part.ends_with("_test")
            || part.ends_with("_tests")
            || part.starts_with("tests-")
    });
    folder
        || stem.starts_with("test_")
        || stem.ends_with("_test")
        || stem.ends_with("_tests")
        || stem == "conftest"
        || stem == "tests"
        || file.contains(".test.")
        || file.contains(".spec.")
        || file.contains("-test.")
        || (file.ends_with(".java")
            && (stem.ends_with("test") || stem.ends_with("tests") || stem.ends_with("testcase")))
        || (file.ends_with(".c")
            && (stem.starts_with("test-") || stem.starts_with("test") && stem.len() == 4))
}

/// Whether the file is a script, an example, a benchmark, a tool or documentation.
pub(super) fn is_script(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    let (folders, file) = path.rsplit_once('/').unwrap_or(("", &path));
    folders.split('/').any(|part| {
        matches!(
            part,
            "script"
                | "scripts"
                | "bin"
                | "example"
                | "examples"
                | "tools"
                | "tool"
                | "hack"
                | "bench"
                | "benches"
                | "benchmark"
                | "benchmarks"
                | "doc"
                | "docs"
                | "demo"
                | "demos"
                | "utils"
                | "util"
                | "contrib"
                | "cmd"
                | "cli"
                | "build"
                | "ci"
                | "release"
                | ".github"
                | "playground"
                | "samples"
                | "sample"
                | "packages-private"
        ) || part.ends_with("-benchmarks")
            || part.ends_with("ctl")
            || part.starts_with("example-")
    }) || matches!(
        file,
        "setup.py"
            | "build.rs"
            | "conf.py"
            | "gulpfile.js"
            | "gruntfile.js"
            | "cli.py"
            | "__main__.py"
            | "cli.js"
            | "cli.ts"
    ) || file.contains(".config.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_recognised() {
        for path in [
            "tests/x.py",
            "a/test_b.py",
            "server/etcdserver/api_test.go",
            "core/src/test/java/org/A.java",
            "a/FooTest.java",
            "packages/x/__tests__/a.spec.ts",
            "conftest.py",
            "tokio-test/src/io.rs",
        ] {
            assert!(is_test(path), "{path}");
        }
        for path in ["src/latest.py", "a/contest.go", "a/Attest.kt", "src/testimony.rs", "a/protest/b.c"] {
            assert!(!is_test(path), "{path}");
        }
    }

    #[test]
    fn scripts_are_recognised() {
        assert!(is_script("scripts/build.js") && is_script("a/examples/b.rs") && is_script("setup.py"));
        assert!(!is_script("src/description.py") && !is_script("core/main.go"));
    }
}
