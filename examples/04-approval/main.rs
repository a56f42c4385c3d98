//! A release that waits for its approval in no process: run it, approve it, run it again.

use barograph::{
    ClaimedSession, Error, Failure, Payload, Result, SessionClaimArgs, SessionCompleteArgs, SessionOpenArgs,
    SessionSubmitArgs, SignalArgs, StepBeginArgs, StepPolicy, WaitSignalArgs, Workspace, blocking,
};
use serde_json::json;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().collect();
    // Any executor will do; this waits on the calling thread.
    blocking::wait(run(&args[1], &args[2..]))
}

async fn run(folder: &str, words: &[String]) -> Result<()> {
    let ws = Workspace::open(folder).await?;
    if let [verb, who] = words
        && verb == "approve"
    {
        let payload = Some(Payload::json(json!({ "by": who })));
        let approval = SignalArgs { id: "release-7".into(), name: "approved".into(), payload, key: None };
        ws.session().signal(approval).await?;
        println!("sent");
        return Ok(());
    }
    // The same key is the same session, however often it is submitted.
    let made = ws
        .session()
        .submit(SessionSubmitArgs {
            id: Some("release-7".into()),
            key: Some("v7".into()),
            input: Some(Payload::json(json!({ "tag": "v7" }))),
            ..SessionSubmitArgs::default()
        })
        .await?;
    if made.created {
        println!("submitted");
    }
    // With `wait_ms` it waits for the next one.
    while let [claimed] = &ws.session().claim(SessionClaimArgs::default()).await?.sessions[..] {
        release(&ws, claimed).await?;
    }
    Ok(())
}

async fn release(ws: &Workspace, claimed: &ClaimedSession) -> Result<()> {
    let open = SessionOpenArgs { id: claimed.id.clone(), resume: true, ..SessionOpenArgs::default() };
    let s = ws.session().open(open).await?;
    let tag = claimed.input.json["tag"].as_str().unwrap_or_default();
    let build = || async {
        println!("building {tag}");
        Ok::<_, Error>(format!("app-{tag}.tar"))
    };
    let artifact = s.step("build", build).await?;
    let wait =
        WaitSignalArgs { name: "approved".into(), timeout_ms: Some(DAY_MS), wait_ms: Some(0), key: None };
    let answer = match s.wait_signal(wait).await {
        // Claimed again when the signal or the day's end is there.
        Err(error) if error.code() == "session.waiting" => {
            println!("waiting for approval");
            return Ok(());
        }
        answer => answer?,
    };
    let Some(approval) = answer.value else {
        let failure =
            Some(Failure { message: "nobody approved it within a day".into(), ..Failure::default() });
        s.complete(SessionCompleteArgs { output: None, failure }).await?;
        return Ok(());
    };
    println!("approved by {}", approval.json["by"].as_str().unwrap_or_default());
    let once = StepBeginArgs { name: "publish".into(), policy: StepPolicy::Once, ..StepBeginArgs::default() };
    s.step_with(once, || async {
        println!("publishing {artifact}");
        Ok::<_, Error>(())
    })
    .await?;
    let output = Some(Payload::json(json!(artifact)));
    let done = s.complete(SessionCompleteArgs { output, failure: None }).await?;
    println!("completed, {} steps", done.steps_done);
    Ok(())
}
