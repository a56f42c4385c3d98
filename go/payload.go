package barograph

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Some gives a pointer to a value, for options whose zero value means something:
// &FeaturesOptions{Renames: barograph.Some(false)}.
func Some[T any](value T) *T { return &value }

// NewPayload makes a payload of any value: []byte as bytes, a [Payload] as it is, everything else
// as JSON by encoding/json. Errors match [ErrInvalidInput].
func NewPayload(value any) (Payload, error) {
	switch value := value.(type) {
	case Payload:
		return value, nil
	case *Payload:
		if value != nil {
			return *value, nil
		}
	case []byte:
		if value != nil {
			return Payload{Bytes: value}, nil
		}
	}
	text, err := json.Marshal(value)
	if err != nil {
		return Payload{}, unsendable("", err)
	}
	return Payload{JSON: text}, nil
}

// Decode reads the payload into target, a pointer: bytes into a *[]byte, JSON as encoding/json
// does, either into a *[Payload]. Errors match [ErrInvalidInput].
func (p Payload) Decode(target any) error {
	if whole, ok := target.(*Payload); ok {
		*whole = p
		return nil
	}
	if p.Bytes != nil {
		into, ok := target.(*[]byte)
		if !ok {
			return mismatch(fmt.Sprintf("the payload is bytes (%s); decode it into a *[]byte, not a %T", p.MediaType, target), nil)
		}
		*into = bytes.Clone(p.Bytes)
		return nil
	}
	text := p.JSON
	if text == nil {
		text = json.RawMessage("null")
	}
	if err := json.Unmarshal(text, target); err != nil {
		return mismatch(fmt.Sprintf("the payload does not fit a %T", target), err)
	}
	return nil
}

// kept is a value of the host on the wire; left out where it was not given.
type kept struct{ given any }

// IsZero tells that no value was given.
func (k kept) IsZero() bool {
	payload, isPointer := k.given.(*Payload)
	return k.given == nil || isPointer && payload == nil
}

// MarshalJSON writes the value in the form of a payload.
func (k kept) MarshalJSON() ([]byte, error) {
	payload, err := NewPayload(k.given)
	if err != nil {
		return nil, err
	}
	return json.Marshal(payload)
}

func keptList(values []any) []kept {
	list := make([]kept, len(values))
	for i, value := range values {
		list[i] = kept{value}
	}
	return list
}

func mismatch(message string, err error) error {
	failed := &Error{Kind: KindInvalidInput, Code: "args.type", Message: message}
	if err != nil {
		failed.Causes, failed.because = []string{err.Error()}, []error{err}
	}
	return failed
}
