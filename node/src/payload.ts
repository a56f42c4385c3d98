/** Values of the host, on their way to the wire and back. */

import { type Wire, bytes, bytesFromWire, json } from './check.js';
import type { Json, Value } from './types_gen.js';

/**
 * A value with the form in which it is kept. Needed only to give bytes a media type: wherever a value
 * is taken, JSON and a `Uint8Array` are taken as they are.
 */
export class Payload {
  /** The value where it is JSON. */
  readonly json: Json;
  /** The value where it is bytes. */
  readonly bytes: Uint8Array | null;
  /** The media type of the bytes. */
  readonly mediaType: string | null;

  /** `new Payload(bytes, 'image/png')`. */
  constructor(value: unknown, mediaType: string | null = null) {
    this.bytes = value instanceof Uint8Array ? value : null;
    this.json = this.bytes === null ? (value as Json) : null;
    this.mediaType = mediaType;
  }

  /** The value itself: the bytes where there are any, else the JSON value. */
  get value(): Value {
    return this.bytes ?? this.json;
  }
}

/** The wire's form of a value; an error where it cannot be kept. */
export function kept(op: string, place: string, value: unknown): Wire {
  if (value === undefined) return undefined;
  if (value instanceof Payload) {
    return { ...kept(op, place, value.value), media_type: value.mediaType ?? undefined };
  }
  if (value instanceof Uint8Array) return { bytes: bytes(op, place, value) };
  return { json: json(op, place, value) };
}

/** The value of the wire's form, as it was passed; null where there is none. */
export function valueOf(wire: Wire): Value {
  if (wire == null) return null;
  if (wire.bytes == null) return wire.json ?? null;
  const value = bytesFromWire(wire.bytes);
  return wire.media_type == null ? value : new Payload(value, wire.media_type);
}
