/* The door of Barograph as a C ABI: eight functions, JSON in and out.
 *
 * A call takes the name of an operation ("risk.change") and its arguments as a JSON object; the
 * JSON Schemas of all arguments and answers are in api.schema.json. The first call is
 * "workspace.open" on handle 0; it answers {"handle": n}. Every function may be called from any
 * thread. Written by hand, together with bindings/go/src/lib.rs. */
#ifndef BAROGRAPH_H
#define BAROGRAPH_H

#include <stddef.h>
#include <stdint.h>

/* What this header was written for; compare with barograph_abi_version(). */
#define BAROGRAPH_ABI_VERSION 1

/* Status of a call: the buffer holds the answer, or an error record as JSON. */
#define BAROGRAPH_OK 0
#define BAROGRAPH_FAILED 1

/* Bytes that the library owns until they are given back with barograph_free. */
typedef struct {
	uint8_t *ptr;
	size_t len;
	size_t cap;
} barograph_buffer;

/* The version of the ABI that the library speaks. */
uint32_t barograph_abi_version(void);

/* Calls an operation and waits. token: 0, or one of barograph_token. */
int32_t barograph_call(uint64_t handle, const uint8_t *op, size_t op_len, const uint8_t *args, size_t args_len,
                       uint64_t token, barograph_buffer *out);

/* The same, but the answer is rows as one Arrow IPC stream. */
int32_t barograph_columns(uint64_t handle, const uint8_t *op, size_t op_len, const uint8_t *args, size_t args_len,
                          uint64_t token, barograph_buffer *out);

/* A fresh cancel token; give it back with barograph_release. */
uint64_t barograph_token(void);

/* Cancels every call that was given this token. */
void barograph_cancel(uint64_t token);

/* Forgets a cancel token. */
void barograph_release(uint64_t token);

/* Closes a handle; closing twice does nothing. */
void barograph_close(uint64_t handle);

/* Frees a buffer that a call filled; exactly once. */
void barograph_free(barograph_buffer buffer);

#endif
