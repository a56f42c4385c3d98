package barograph

import (
	"encoding/json"
	"errors"
	"strconv"
	"unsafe"
)

// reader reads the JSON of an answer into records without reflection: four times as fast as
// encoding/json on rows of numbers. The native library writes that JSON, so it is trusted to be
// well formed; a reader that is wrong about it ends with an error and never out of bounds.
type reader struct {
	data []byte
	at   int
	err  error
}

var errMalformed = errors.New("barograph: an answer of the native library is not the JSON that was expected")

func (r *reader) fail() {
	if r.err == nil {
		r.err = errMalformed
	}
	r.at = len(r.data)
}

// peek skips white space and returns the next byte, 0 at the end.
func (r *reader) peek() byte {
	for r.at < len(r.data) {
		switch c := r.data[r.at]; c {
		case ' ', '\t', '\n', '\r':
			r.at++
		default:
			return c
		}
	}
	return 0
}

// enter steps into an object or a list; false where it is empty.
func (r *reader) enter(opening byte) bool {
	if r.peek() != opening {
		r.fail()
		return false
	}
	r.at++
	if r.peek() == opening+2 { // '{' + 2 is '}', '[' + 2 is ']'
		r.at++
		return false
	}
	return true
}

// more steps over a comma, or out of the object or list.
func (r *reader) more(opening byte) bool {
	switch r.peek() {
	case ',':
		r.at++
		return true
	case opening + 2:
		r.at++
	default:
		r.fail()
	}
	return false
}

// null steps over null where it comes next.
func (r *reader) null() bool {
	if r.peek() != 'n' {
		return false
	}
	r.at += len("null")
	if r.at > len(r.data) {
		r.fail()
	}
	return true
}

// quoted is the text between the next two quotes, still escaped where escaped is true.
func (r *reader) quoted() (body []byte, escaped bool) {
	if r.peek() != '"' {
		r.fail()
		return nil, false
	}
	start := r.at + 1
	for at := start; at < len(r.data); at++ {
		switch r.data[at] {
		case '"':
			r.at = at + 1
			return r.data[start:at], escaped
		case '\\':
			escaped = true
			at++
		}
	}
	r.fail()
	return nil, false
}

// key is the next member's name; good until the answer is freed. Names of ours hold no escapes.
func (r *reader) key() []byte {
	body, _ := r.quoted()
	if r.peek() != ':' {
		r.fail()
		return nil
	}
	r.at++
	return body
}

func (r *reader) text() string {
	body, escaped := r.quoted()
	if !escaped {
		return string(body)
	}
	var text string
	if json.Unmarshal(r.data[r.at-len(body)-2:r.at], &text) != nil {
		r.fail()
	}
	return text
}

func (r *reader) bytes() []byte {
	body, _ := r.quoted()
	out, err := decodeBase64(body)
	if err != nil {
		r.fail()
	}
	return out
}

func (r *reader) bool() bool {
	switch r.peek() {
	case 't':
		r.at += len("true")
		return true
	case 'f':
		r.at += len("false")
	default:
		r.fail()
	}
	return false
}

// number is the text of the next number; good until the answer is freed.
func (r *reader) number() []byte {
	r.peek()
	start := r.at
	for r.at < len(r.data) {
		switch c := r.data[r.at]; {
		case c >= '0' && c <= '9', c == '-', c == '+', c == '.', c == 'e', c == 'E':
			r.at++
		default:
			return r.data[start:r.at]
		}
	}
	return r.data[start:r.at]
}

func (r *reader) int() int64 {
	digits := r.number()
	if len(digits) == 0 || len(digits) > 16 {
		return r.slowInt(digits)
	}
	value, at := int64(0), 0
	if digits[0] == '-' {
		at = 1
	}
	for _, c := range digits[at:] {
		if c < '0' || c > '9' {
			return r.slowInt(digits)
		}
		value = value*10 + int64(c-'0')
	}
	if at == 1 {
		return -value
	}
	return value
}

func (r *reader) slowInt(digits []byte) int64 {
	value, err := strconv.ParseInt(string(digits), 10, 64)
	if err != nil {
		r.fail()
	}
	return value
}

func (r *reader) float() float64 {
	digits := r.number()
	value, err := strconv.ParseFloat(unsafe.String(unsafe.SliceData(digits), len(digits)), 64)
	if err != nil {
		r.fail()
	}
	return value
}

// raw is a copy of the next value, whatever it is.
func (r *reader) raw() json.RawMessage {
	r.peek()
	start := r.at
	r.skip()
	if r.err != nil {
		return nil
	}
	return append(json.RawMessage(nil), r.data[start:r.at]...)
}

// skip steps over the next value, whatever it is.
func (r *reader) skip() {
	depth := 0
	for {
		switch c := r.peek(); c {
		case '"':
			r.quoted()
		case '{', '[':
			depth++
			r.at++
		case '}', ']':
			depth--
			r.at++
		case ',', ':':
			r.at++
		case 0:
			r.fail()
			return
		default:
			for r.at < len(r.data) && !ends[r.data[r.at]] {
				r.at++
			}
		}
		if depth <= 0 || r.err != nil {
			return
		}
	}
}

// ends holds the bytes that end a number or a word.
var ends = [256]bool{' ': true, '\t': true, '\n': true, '\r': true, ',': true, ':': true, '}': true, ']': true}

// optional is a pointer to the next value, nil where it is null.
func optional[T any](r *reader, read func(*reader) T) *T {
	if r.null() {
		return nil
	}
	value := read(r)
	return &value
}

// list reads a list; empty, not nil, where there is nothing in it.
func list[T any](r *reader, read func(*reader, *T)) []T {
	out := []T{}
	for more := r.enter('['); more; more = r.more('[') {
		if len(out) == cap(out) {
			// Double: a list of rows is often long, and append grows long slices slowly.
			out = append(make([]T, 0, max(4, 2*cap(out))), out...)
		}
		out = out[:len(out)+1]
		read(r, &out[len(out)-1])
	}
	return out
}

// table reads an object whose names are data.
func table[T any](r *reader, read func(*reader, *T)) map[string]T {
	out := map[string]T{}
	for more := r.enter('{'); more; more = r.more('{') {
		// A name of the user's may hold escapes.
		name := r.text()
		if r.peek() != ':' {
			r.fail()
			break
		}
		r.at++
		var value T
		read(r, &value)
		out[name] = value
	}
	return out
}
