//! Steps that survive a kill: run it with `crash`, then again without.

use barograph::{Error, Payload, Result, SessionCompleteArgs, SessionOpenArgs, Workspace, blocking};
use serde_json::json;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let crash = args.get(2).is_some_and(|word| word == "crash");
    // Any executor will do; this waits on the calling thread.
    blocking::wait(run(&args[1], crash))
}

async fn run(folder: &str, crash: bool) -> Result<()> {
    let ws = Workspace::open(folder).await?;
    let open = SessionOpenArgs { id: "release-42".into(), resume: true, ..SessionOpenArgs::default() };
    let s = ws.session().open(open).await?;
    let build = || async {
        println!("building");
        Ok::<_, Error>(3)
    };
    let files: u32 = s.step("build", build).await?;
    let publish = || async {
        if crash {
            std::process::abort();
        }
        println!("publishing {files} files");
        Ok::<_, Error>(())
    };
    s.step("publish", publish).await?;
    let output = Some(Payload::json(json!({ "files": files })));
    let done = s.complete(SessionCompleteArgs { output, failure: None }).await?;
    println!("completed, {} steps", done.steps_done);
    Ok(())
}
