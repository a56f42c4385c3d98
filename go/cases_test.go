package barograph

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// The runner of the conformance cases; tests/cases/README.md describes their form.

type object = map[string]any

type testCase struct {
	Name, Fixture, Clock string
	Open                 object
	Steps                []object
	MustFail             bool `json:"must_fail"`
}

// run is one case under way.
type run struct {
	folder string
	saved  map[string]any
}

func (r *run) lookUp(path string) any {
	parts := strings.Split(path, ".")
	value := r.saved[parts[0]]
	for _, part := range parts[1:] {
		if members, ok := value.(object); ok {
			value = members[part]
			continue
		}
		items, _ := value.([]any)
		i, err := strconv.Atoi(part)
		if err != nil || i >= len(items) {
			return nil
		}
		value = items[i]
	}
	return value
}

// filled puts saved values and the folder into arguments.
func (r *run) filled(value any) any {
	switch value := value.(type) {
	case string:
		if rest, ok := strings.CutPrefix(value, "$dir"); ok && (rest == "" || rest[0] == '/') {
			return r.folder + rest
		} else if path, ok := strings.CutPrefix(value, "$"); ok && r.lookUp(path) != nil {
			return r.lookUp(path)
		}
	case []any:
		out := make([]any, len(value))
		for i := range value {
			out[i] = r.filled(value[i])
		}
		return out
	case object:
		out := object{}
		for name := range value {
			out[name] = r.filled(value[name])
		}
		return out
	}
	return value
}

// mismatch tells where actual does not hold what is expected; "" where it does.
func (r *run) mismatch(expected, actual any, place string) (where string) {
	holds := false
	switch want := expected.(type) {
	case object:
		members, isObject := actual.(object)
		holds = isObject
		for _, name := range slices.Sorted(maps.Keys(want)) {
			if len(want) == 1 && name[0] == '$' {
				holds = r.matches(name, want[name], actual)
			} else if where = r.mismatch(want[name], members[name], place+"."+name); holds && where != "" {
				return where
			}
		}
	case []any:
		items, isList := actual.([]any)
		holds = isList && len(items) == len(want)
		for i := 0; holds && i < len(want); i++ {
			if where = r.mismatch(want[i], items[i], place+"."+strconv.Itoa(i)); where != "" {
				return where
			}
		}
	default:
		holds = reflect.DeepEqual(expected, actual)
	}
	if holds {
		return ""
	}
	return fmt.Sprintf("%s: expected %v, got %v", place, expected, actual)
}

func (r *run) matches(word string, value, actual any) bool {
	text, isText := actual.(string)
	items, isList := actual.([]any)
	switch word {
	case "$any":
		return actual != nil
	case "$count":
		return isList && number(value) == float64(len(items)) || isText && number(value) == float64(utf8.RuneCountInString(text))
	case "$contains":
		part, _ := value.(string)
		holds := func(item any) bool { return r.mismatch(value, item, "") == "" }
		return isText && strings.Contains(text, part) || slices.ContainsFunc(items, holds)
	case "$same":
		path, _ := value.(string)
		return reflect.DeepEqual(r.lookUp(path), actual)
	case "$near":
		a, b := number(value), number(actual)
		return math.Abs(a-b) <= 1e-9*max(math.Abs(a), math.Abs(b))
	}
	return false
}

// step runs one step: what it answered ("" where it called nothing), and what is wrong with that.
func (r *run) step(step object) (line, wrong string) {
	if name, ok := step["close"].(string); ok {
		_ = r.saved[name].(io.Closer).Close()
		return "", ""
	}
	op, _ := step["call"].(string)
	name, _ := step["on"].(string)
	on, args := r.saved[name], r.filled(step["args"])
	if op == "workspace.open" {
		on = nil
	}
	if args == nil {
		args = object{}
	}
	out, err := perform(op, on, args)
	wanted, expected := step["expect_error"].(object)
	if err != nil {
		shown, _ := asJSON(err).(object)
		if message, ok := wanted["message"].(string); ok {
			wanted["message"] = object{"$contains": message}
		}
		if wrong = err.Error(); expected {
			wrong = r.mismatch(wanted, shown, op)
		}
		return fmt.Sprintf(`{"code":%q}`, shown["code"]), wrong
	}
	shown, save := any(object{}), fmt.Sprint(step["save"])
	if _, opened := out.(io.Closer); opened {
		r.saved[save] = out
	} else {
		shown = asJSON(out)
		r.saved[save] = shown
	}
	if expected {
		wrong = fmt.Sprintf("%s: expected the error %v, got %v", op, wanted, shown)
	} else if want, ok := step["expect"]; ok {
		wrong = r.mismatch(want, shown, op)
	}
	text, _ := json.Marshal(shown)
	return string(text), wrong
}

// play runs a case in a fresh folder, outside of every repository; lines takes its answers.
func play(c testCase, fixtures, folder, label string, lines *strings.Builder) error {
	if c.Fixture != "" {
		if out, err := exec.Command("cp", "-a", filepath.Join(fixtures, c.Fixture)+"/.", folder).CombinedOutput(); err != nil {
			return fmt.Errorf("no fixture %s: %s", c.Fixture, out)
		}
	}
	r := &run{folder: folder, saved: map[string]any{}}
	open := object{"path": folder}
	if c.Clock != "" {
		open["clock"] = c.Clock
	}
	maps.Copy(open, r.filled(c.Open).(object))
	ws, err := perform("workspace.open", nil, open)
	if err != nil {
		return err
	}
	r.saved[""] = ws
	defer func() {
		for _, saved := range r.saved {
			if closer, ok := saved.(io.Closer); ok {
				_ = closer.Close()
			}
		}
	}()
	for at, step := range c.Steps {
		line, wrong := r.step(step)
		if line != "" {
			fmt.Fprintf(lines, "%s.%d %s\n", label, at, line)
		}
		if wrong != "" {
			return fmt.Errorf("step %d: %s", at, wrong)
		}
	}
	return nil
}

func TestCases(t *testing.T) {
	fixtures := fixtures(t)
	files, _ := filepath.Glob("../tests/cases/*/*.json")
	slices.Sort(files)
	var lines strings.Builder
	passed, failed := 0, 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		var cases []testCase
		if err == nil {
			err = json.Unmarshal(text, &cases)
		}
		if err != nil {
			t.Fatal(file, ": ", err)
		}
		for i, c := range cases {
			label := fmt.Sprintf("%s#%d", strings.TrimPrefix(file, "../tests/cases/"), i)
			err := play(c, fixtures, t.TempDir(), label, &lines)
			if (err != nil) == c.MustFail {
				passed++
				continue
			}
			failed++
			t.Errorf("%s %q (must fail: %v): %v", label, c.Name, c.MustFail, err)
		}
	}
	if out := os.Getenv("BAROGRAPH_CASES_OUT"); out != "" {
		if err := os.WriteFile(out, []byte(lines.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	fmt.Printf("cases: %d passed, %d failed\n", passed, failed)
	if passed < 280 {
		t.Errorf("only %d cases were found", passed)
	}
}
