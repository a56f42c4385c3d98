//! The MCP server behind `barograph mcp`: every operation of the surface as a tool, over standard
//! input and output.
//!
//! Tools come out of [`barograph::describe`]: a new operation is a new tool without a line here.
//! One server serves one repository; no tool opens another, and no path leads out of it.

mod paths;
mod progress;
mod tools;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use barograph::surface::{Form, door};
use barograph::{Error, OpenArgs, Result};
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ErrorData, Implementation,
    ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::RequestContext;
use rmcp::{RoleServer, ServerHandler, ServiceExt};
use serde_json::{Map, Value};

use crate::paths::Fence;
use crate::tools::{Bound, HANDLE, Tools};

/// Serves one workspace until the client leaves; waits on the calling thread.
///
/// Writes nothing but the protocol to standard output.
///
/// Errors: those of `workspace.open`, and `store.unreachable` where the pipes to the client fail.
pub fn serve(open: &OpenArgs) -> Result<()> {
    let server = Server::new(open)?;
    let broken = |error: &(dyn std::error::Error + 'static)| {
        Error::new("store.unreachable", "the client cannot be reached; start the server from an MCP client")
            .because(error)
    };
    // Waiting only: the work of a call runs on the library's own threads.
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| broken(&error))?;
    let served = runtime.block_on(async {
        match server.serve(rmcp::transport::stdio()).await {
            Ok(service) => service.waiting().await.map(drop).map_err(|error| broken(&error)),
            // A client that leaves before its first word has not been failed.
            Err(rmcp::service::ServerInitializeError::ConnectionClosed(_)) => Ok(()),
            Err(error) => Err(broken(&error)),
        }
    });
    // The thread that reads standard input may wait for ever.
    runtime.shutdown_background();
    served
}

/// One open workspace and the handles that the client has opened on it.
#[derive(Clone)]
struct Server(Arc<Shared>);

struct Shared {
    tools: Tools,
    workspace: u64,
    fence: Fence,
    handles: Mutex<BTreeSet<u64>>,
    /// Calls under way.
    calls: AtomicUsize,
}

impl Drop for Shared {
    fn drop(&mut self) {
        door::close(self.workspace);
        std::mem::take(&mut *locked(&self.handles)).into_iter().for_each(door::close);
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Counts a call for as long as it lives.
struct UnderWay<'a>(&'a AtomicUsize);

impl<'a> UnderWay<'a> {
    fn new(calls: &'a AtomicUsize) -> Self {
        calls.fetch_add(1, Ordering::Relaxed);
        UnderWay(calls)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Server {
    fn new(open: &OpenArgs) -> Result<Server> {
        let args = serde_json::to_vec(open)
            .map_err(|error| Error::new("args.invalid", "the arguments are no JSON").because(&error))?;
        let opened = door::call(door::ROOT, "workspace.open", &args, door::NO_TOKEN)?;
        let workspace = number(&opened, HANDLE)?;
        let info = door::call(workspace, "workspace.info", b"{}", door::NO_TOKEN)?;
        let info: Value = serde_json::from_slice(&info).unwrap_or_default();
        let top = info["repository"].as_str().unwrap_or(&open.path);
        let shared = Shared {
            tools: Tools::new(&barograph::describe()),
            workspace,
            fence: Fence::new(top.as_ref())?,
            handles: Mutex::default(),
            calls: AtomicUsize::new(0),
        };
        Ok(Server(Arc::new(shared)))
    }

    /// Calls the operation behind a tool; the answer is the door's JSON.
    async fn call(
        &self,
        name: &str,
        args: Map<String, Value>,
        context: &RequestContext<RoleServer>,
    ) -> Result<Vec<u8>> {
        let shared = &self.0;
        let (handle, op, args) = match shared.tools.bound(name) {
            Some(Bound::Close) => return self.close(&args),
            Some(Bound::Operation { op, on_handle }) => {
                let mut args = args;
                let handle = if *on_handle { self.take_handle(&mut args)? } else { shared.workspace };
                shared.fence.check(&mut args).map_err(|error| error.in_op(op))?;
                (handle, op.as_str(), Value::Object(args).to_string())
            }
            None => return Err(Error::new("call.unknown", format!("no tool `{name}`; list the tools"))),
        };
        let under_way = UnderWay::new(&shared.calls);
        let work = door::begin(handle, op, Form::Records, args.as_bytes(), door::NO_TOKEN);
        let reports = progress::relay(shared.workspace, &shared.calls, context);
        let answer = tokio::select! {
            biased;
            // Dropping the call cancels it.
            () = context.ct.cancelled() => return Err(Error::cancelled().in_op(op)),
            answer = work => answer?,
            never = reports => match never {},
        };
        drop(under_way);
        if let door::Answer::Opened(opened) = answer {
            locked(&shared.handles).insert(opened);
        }
        answer.into_json()
    }

    /// The handle that the client names; only those that it opened can be named.
    fn take_handle(&self, args: &mut Map<String, Value>) -> Result<u64> {
        let named = args.remove(HANDLE).and_then(|handle| handle.as_u64()).ok_or_else(|| {
            Error::new("args.invalid", "`handle` is missing; pass the number that the opening tool gave back")
        })?;
        if locked(&self.0.handles).contains(&named) {
            return Ok(named);
        }
        Err(Error::new("handle.closed", "no open handle of this number; open a new one").with(HANDLE, named))
    }

    fn close(&self, args: &Map<String, Value>) -> Result<Vec<u8>> {
        let handle = self.take_handle(&mut args.clone())?;
        locked(&self.0.handles).remove(&handle);
        door::close(handle);
        Ok(b"{}".to_vec())
    }
}

/// The number `name` in a JSON object.
fn number(json: &[u8], name: &str) -> Result<u64> {
    serde_json::from_slice::<Value>(json)
        .ok()
        .and_then(|answer| answer[name].as_u64())
        .ok_or_else(|| Error::new("bug.panic", format!("an answer has no `{name}`")))
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let this = Implementation::new("barograph", env!("CARGO_PKG_VERSION")).with_title("Barograph");
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(this)
            .with_instructions(
                "Answers about one git repository: how risky a change is and why (risk_change), its history as \
                 measures, and durable sessions and queues. Revisions are written as git writes them; paths \
                 must lie in the repository. Errors carry a code and say what to do.",
            )
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> std::result::Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(self.0.tools.list().to_vec()))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.0.tools.list().iter().find(|tool| tool.name == name).cloned()
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> std::result::Result<CallToolResponse, ErrorData> {
        if self.0.tools.bound(&request.name).is_none() {
            return Err(ErrorData::invalid_params(
                format!("no tool `{}`; list the tools", request.name),
                None,
            ));
        }
        let answer = self.call(&request.name, request.arguments.unwrap_or_default(), &context).await;
        Ok(result(answer).into())
    }
}

/// The answer of a call as a tool's result: the door's own JSON as text, and the same structured.
fn result(answer: Result<Vec<u8>>) -> CallToolResult {
    let read = |json: Vec<u8>| {
        let value = serde_json::from_slice(&json).unwrap_or_default();
        (vec![ContentBlock::text(String::from_utf8(json).unwrap_or_default())], value)
    };
    match answer {
        Ok(json) => {
            let (content, value) = read(json);
            let mut result = CallToolResult::success(content);
            result.structured_content = Some(value);
            result
        }
        Err(error) => {
            let (content, value) = read(serde_json::to_vec(&error).unwrap_or_default());
            let mut result = CallToolResult::error(content);
            result.structured_content = Some(value);
            result
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_and_errors_are_text_and_structure_alike() {
        let answer = result(Ok(br#"{"probability":0.1234567890123456789}"#.to_vec()));
        assert_eq!(answer.is_error, Some(false));
        assert_eq!(answer.structured_content.unwrap()["probability"], 0.123_456_789_012_345_68);
        let failed = result(Err(Error::new("args.invalid", "no")));
        assert_eq!(failed.is_error, Some(true));
        assert_eq!(failed.structured_content.unwrap()["code"], "args.invalid");
    }
}
