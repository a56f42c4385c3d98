"""The MCP server, asked by the protocol's own Python SDK: in the newest protocol and in the handshake
of the older ones."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, MCPError, StdioServerParameters

# "legacy" is the initialize handshake; "auto" asks the server first and finds the newest protocol.
MODES = ["legacy", "auto"]


def ask(barograph: str, repository: Path, mode: str, talk: Callable[[Client], Awaitable[None]]) -> None:
    """Starts a server on `repository` and lets `talk` speak with it."""
    server = StdioServerParameters(command=barograph, args=["mcp", "--repo", str(repository)])

    async def run() -> None:
        async with Client(server, mode=mode, read_timeout_seconds=60) as client:
            await talk(client)

    asyncio.run(run())


async def call(client: Client, name: str, /, **arguments: Any) -> dict[str, Any]:
    """The structured answer of a tool, which its text must equal."""
    result = await client.call_tool(name, arguments)
    assert not result.is_error, result.content
    assert json.loads(result.content[0].text) == result.structured_content
    return result.structured_content


async def refused(client: Client, name: str, /, **arguments: Any) -> dict[str, Any]:
    """The error record of a tool that fails."""
    result = await client.call_tool(name, arguments)
    assert result.is_error, result.content
    assert json.loads(result.content[0].text) == result.structured_content
    return result.structured_content


@pytest.mark.parametrize("mode", MODES)
def test_every_operation_is_a_tool(barograph: str, repository: Path, mode: str) -> None:
    described = json.loads(subprocess.run([barograph, "describe"], check=True, capture_output=True).stdout)
    # What starts programs of the caller's choice is no tool: an agent has a shell, with its user's rules, for that.
    operations = {
        op["name"].replace(".", "_"): op for op in described["operations"] if op["receiver"] and not op["runs_programs"]
    }

    async def talk(client: Client) -> None:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(tools) == set(operations) | {"handle_close"}
        for name, operation in operations.items():
            tool = tools[name]
            assert tool.description == operation["doc"]
            assert tool.annotations.read_only_hint is operation["read_only"]
            assert tool.input_schema["type"] == "object" and tool.output_schema["type"] == "object"
            assert "$ref" not in json.dumps([tool.input_schema, tool.output_schema])
            assert ("handle" in tool.input_schema["properties"]) is (operation["receiver"] != "Workspace")
        assert client.server_info.name == "barograph"
        assert client.protocol_version == ("2026-07-28" if mode != "legacy" else "2025-11-25")

    ask(barograph, repository, mode, talk)


@pytest.mark.parametrize("mode", MODES)
def test_answers_and_errors(barograph: str, repository: Path, mode: str) -> None:
    async def talk(client: Client) -> None:
        info = await call(client, "workspace_info")
        assert info["repository"] == str(repository)
        # The SDK checks answers against the tool's output schema by itself.
        card = await call(client, "predict_model", name="size-only")
        assert card["name"] == "size-only"
        history = await call(client, "git_features", range="HEAD")
        assert len(history["rows"]) == history["history"]["commits"]
        missing = await refused(client, "git_features", range="nowhere")
        assert (missing["code"], missing["kind"], missing["op"]) == ("git.revision", "not_found", "git.features")
        wrong = await refused(client, "workspace_info", verbos=True)
        assert wrong["code"] == "args.unknown_option"
        wrong = await refused(client, "predict_model", name=5)
        assert wrong["code"] == "args.type"
        with pytest.raises(MCPError, match="no tool"):
            await client.call_tool("workspace_open", {"path": "/"})

    ask(barograph, repository, mode, talk)


@pytest.mark.parametrize("mode", MODES)
def test_the_change_is_answered_as_on_the_command_line(barograph: str, repository: Path, mode: str) -> None:
    line = [barograph, "risk", "change", "HEAD~3..HEAD", "--repo", str(repository), "--format", "json"]
    expected = json.loads(subprocess.run(line, check=True, capture_output=True).stdout)

    async def talk(client: Client) -> None:
        assert await call(client, "risk_change", range="HEAD~3..HEAD") == expected

    ask(barograph, repository, mode, talk)


@pytest.mark.parametrize("mode", MODES)
def test_paths_stay_in_the_repository(barograph: str, repository: Path, mode: str) -> None:
    (repository / "out").symlink_to(repository.parent)

    async def talk(client: Client) -> None:
        pack = await call(client, "git_history_export", path="history.pack")
        assert pack["path"] == str(repository / "history.pack")
        assert pack["bytes"] == (repository / "history.pack").stat().st_size
        for path in ["../x", "/tmp/x", "out/x", "core/../../x", ".git/config", str(repository.parent / "x")]:
            for tool in ["git_history_export", "git_history_import"]:
                error = await refused(client, tool, path=path)
                assert (error["code"], error["op"]) == ("args.invalid", tool.replace("_", ".", 1)), path
        assert not (repository.parent / "x").exists()
        for remote in ["/srv/other", "../other", "https://example.com/x"]:
            error = await refused(client, "git_deepen", remote=remote)
            assert (error["code"], error["op"]) == ("args.invalid", "git.deepen"), remote

    ask(barograph, repository, mode, talk)


@pytest.mark.parametrize("mode", MODES)
def test_a_session_through_its_handle(barograph: str, repository: Path, mode: str) -> None:
    async def talk(client: Client) -> None:
        handle = (await call(client, "session_open", id="deploy"))["handle"]
        step = await call(client, "session_begin", handle=handle, name="build")
        assert step["state"] == "run"
        await call(client, "session_finish", handle=handle, token=step["token"], result={"json": {"n": 7}})
        assert (await refused(client, "session_begin", name="test"))["code"] == "args.invalid"
        assert (await refused(client, "worker_next", handle=handle))["code"] == "call.unknown"
        await call(client, "handle_close", handle=handle)
        assert (await refused(client, "session_begin", handle=handle, name="test"))["code"] == "handle.closed"
        # Neither the workspace nor anything else that the client did not open can be named.
        for other in range(1, 5):
            assert (await refused(client, "handle_close", handle=other))["code"] == "handle.closed"
        again = (await call(client, "session_open", id="deploy", resume=True))["handle"]
        kept = await call(client, "session_begin", handle=again, name="build")
        assert (kept["state"], kept["result"]["json"]) == ("done", {"n": 7})

    ask(barograph, repository, mode, talk)


def test_a_cancelled_call_ends_and_the_server_goes_on(barograph: str, repository: Path) -> None:
    """In plain lines of JSON, in the first released protocol, so that nothing of the SDK stands between."""
    server = subprocess.Popen(
        [barograph, "mcp", "--repo", str(repository)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert server.stdin and server.stdout

    def send(method: str, params: dict[str, Any], number: int | None = None) -> None:
        message = {"jsonrpc": "2.0", "method": method, "params": params}
        if number is not None:
            message["id"] = number
        server.stdin.write(json.dumps(message) + "\n")
        server.stdin.flush()

    def receive() -> dict[str, Any]:
        return json.loads(server.stdout.readline())

    client = {"protocolVersion": "2024-11-05", "capabilities": {}, "clientInfo": {"name": "lines", "version": "1"}}
    send("initialize", client, 1)
    assert receive()["result"]["protocolVersion"] == "2024-11-05"
    send("notifications/initialized", {})
    send("tools/call", {"name": "events_open", "arguments": {"follow": True}}, 2)
    handle = receive()["result"]["structuredContent"]["handle"]
    wait = {"name": "events_next", "arguments": {"handle": handle, "wait_ms": 600_000}}
    send("tools/call", wait, 3)
    send("notifications/cancelled", {"requestId": 3, "reason": "enough"})
    send("tools/call", {"name": "workspace_info", "arguments": {}}, 4)
    # The cancelled call gets no answer, so the next one's comes first.
    assert receive()["id"] == 4
    # A client that leaves ends the server, calls under way or not.
    send("tools/call", wait, 5)
    server.stdin.close()
    assert server.wait(timeout=30) == 0
