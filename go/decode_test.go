package barograph

import (
	"encoding/json"
	"reflect"
	"testing"
)

// answers are records of every shape that the reader meets.
func answers() []record {
	return []record{
		new(ChangeRisk), new(FeatureTable), new(HistoryPack), new(Deepened), new(ModelCard), new(Enqueued),
		new(QueueSummary), new(SessionDetail), new(SessionList), new(StepStart), new(StepFinished), new(TaskBatch),
		new(TaskReport), new(WorkspaceInfo), new(EventPage), new(Error),
	}
}

// fill gives every field of value something that is not zero.
func fill(value reflect.Value, seed *int) {
	*seed++
	switch value.Kind() {
	case reflect.Struct:
		for i := range value.NumField() {
			if value.Type().Field(i).IsExported() {
				fill(value.Field(i), seed)
			}
		}
	case reflect.Pointer:
		value.Set(reflect.New(value.Type().Elem()))
		fill(value.Elem(), seed)
	case reflect.Slice:
		if value.Type() == reflect.TypeFor[json.RawMessage]() {
			value.SetBytes([]byte(`{"a":[1,"}\"]",{"b":null}],"c":-1500.5}`))
			return
		}
		value.Set(reflect.MakeSlice(value.Type(), 3, 3))
		for i := range value.Len() {
			fill(value.Index(i), seed)
		}
	case reflect.Map:
		value.Set(reflect.MakeMap(value.Type()))
		item := reflect.New(value.Type().Elem()).Elem()
		fill(item, seed)
		value.SetMapIndex(reflect.ValueOf("a \"quoted\" naïve\nname"), item)
	case reflect.String:
		value.SetString("text \\ \"🦀\" \t <&> ü" + string(rune('a'+*seed%26)))
	case reflect.Int64:
		value.SetInt(int64(*seed)*(1<<40) - 1<<44)
	case reflect.Uint8:
		value.SetUint(uint64(*seed % 256))
	case reflect.Float64:
		value.SetFloat(float64(*seed) / -3e7)
	case reflect.Bool:
		value.SetBool(true)
	}
}

func TestReaderReadsWhatEncodingJSONReads(t *testing.T) {
	for _, out := range answers() {
		seed := 0
		want := reflect.New(reflect.TypeOf(out).Elem())
		fill(want.Elem(), &seed)
		text, err := json.Marshal(want.Interface())
		if err != nil {
			t.Fatal(err)
		}
		// Indented, and with a member of a later version.
		var indented any
		_ = json.Unmarshal(text, &indented)
		indented.(map[string]any)["a later member"] = []any{map[string]any{"x": "]"}, 1.5, nil}
		spaced, _ := json.MarshalIndent(indented, "", "  ")
		for _, text := range [][]byte{text, spaced} {
			got := reflect.New(reflect.TypeOf(out).Elem()).Interface().(record)
			r := reader{data: text}
			got.read(&r)
			if r.err != nil {
				t.Fatalf("%T: %v in %s", out, r.err, text)
			}
			compact(reflect.ValueOf(got).Elem())
			if !reflect.DeepEqual(got, want.Interface()) {
				t.Fatalf("%T:\n got %+v\nwant %+v", out, got, want.Interface())
			}
		}
	}
}

// compact removes white space from free JSON, which the reader keeps as it stands.
func compact(value reflect.Value) {
	switch value.Kind() {
	case reflect.Struct:
		for i := range value.NumField() {
			if value.Type().Field(i).IsExported() {
				compact(value.Field(i))
			}
		}
	case reflect.Pointer:
		if !value.IsNil() {
			compact(value.Elem())
		}
	case reflect.Slice:
		if raw, ok := value.Interface().(json.RawMessage); ok {
			text, _ := json.Marshal(raw)
			value.SetBytes(text)
			return
		}
		for i := range value.Len() {
			compact(value.Index(i))
		}
	}
}

func TestReaderEndsOnDamage(t *testing.T) {
	seed, full := 0, new(SessionDetail)
	fill(reflect.ValueOf(full).Elem(), &seed)
	text, _ := json.Marshal(full)
	for at := range text {
		for _, damaged := range [][]byte{text[:at], append(append([]byte{}, text[:at]...), text[at+1:]...)} {
			r := reader{data: damaged}
			new(SessionDetail).read(&r)
			if len(damaged) == at && r.err == nil {
				t.Fatalf("%s was read as a whole record", damaged)
			}
		}
	}
}

func TestPayloadsKeepTheirForm(t *testing.T) {
	for _, value := range []any{nil, 1.5, "text", []any{true}, map[string]any{"a": nil}} {
		payload, err := NewPayload(value)
		if err != nil {
			t.Fatal(err)
		}
		var back any
		if err := payload.Decode(&back); err != nil || !reflect.DeepEqual(back, value) {
			t.Fatalf("%v became %v (%v)", value, back, err)
		}
	}
	payload, _ := NewPayload([]byte{})
	text, _ := json.Marshal(payload)
	if string(text) != `{"bytes":""}` {
		t.Fatalf("no bytes at all became %s", text)
	}
	var number int
	if err := payload.Decode(&number); err == nil {
		t.Fatal("bytes were read as a number")
	}
}
