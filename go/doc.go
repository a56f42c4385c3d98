// Package barograph tells how risky a change is and why, keeps long runs of steps durable, and
// runs tasks from durable queues: one embeddable library, no server.
//
//	ws, err := barograph.Open(ctx, ".", nil)
//	if err != nil {
//		return err
//	}
//	defer ws.Close()
//	risk, err := ws.Risk().Change(ctx, "HEAD~1..HEAD", nil)
//
// # Conventions
//
// Every operation takes a context first and its options last; nil options are the defaults. In
// options and records an empty text means "not given"; options whose zero value says something
// other than their default are pointers, see [Some]. In answers, an empty text or a nil pointer
// means that the value is absent. Free JSON is a [json.RawMessage] in records, and any value that
// encoding/json accepts in options.
//
// # Sessions
//
// [Step] runs a function once, however often the process is killed. [Session.WaitSignal] and [Session.Sleep]
// wait on disk: their time counts through restarts. [Sessions.Submit] makes a session for whoever loops
// over [Sessions.Claimed]. Values are anything that encoding/json accepts, or a []byte; they are read
// back with [Payload.Decode].
//
// # Errors
//
// Every error is an [*Error] with a kind, a code and a message that says what to do. Compare kinds
// with errors.Is and the sentinels [ErrNotFound], [ErrConflict] and so on. When a context is done,
// its call ends soon and the error matches both [ErrCancelled] and context.Cause(ctx).
//
// # Waiting and threads
//
// A call holds a thread of the operating system while it is under way. At most 256 calls run at
// once and at most 64 of them wait for tasks or events; more callers wait in Go, so any number of
// goroutines may call.
//
// # Building
//
// The package links a native library through cgo: a C compiler is needed, CGO_ENABLED must be 1,
// and linux/amd64 with glibc is the platform that there is a library for.
package barograph
