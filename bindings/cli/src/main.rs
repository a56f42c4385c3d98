//! The `barograph` command.

fn main() -> std::process::ExitCode {
    barograph_cli::run(std::env::args_os()).into()
}
