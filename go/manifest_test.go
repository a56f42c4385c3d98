package barograph

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strings"
	"testing"
)

// byHand is what the package exports beyond the list of operations.
var byHand = []string{
	"Error", "Error.Error", "Error.Is", "Error.Unwrap",
	"NewPayload", "Payload.Decode", "Some", "Step", "StepOptions", "NewTask.MarshalJSON", "TaskResult.MarshalJSON",
	"SessionRun", "Sessions.Claimed", "ClaimedOptions",
	"ClaimedOptions.Labels", "ClaimedOptions.Idle", "ClaimedOptions.StopWhenEmpty",
	"TaskFunc", "RunOptions", "Worker.Handle", "Worker.Run", "EventStream.All",
	"StepOptions.Key", "StepOptions.Args", "StepOptions.Policy", "RunOptions.Concurrency", "RunOptions.StopWhenEmpty",
}

func goName(name string) string {
	words := strings.FieldsFunc(name, func(r rune) bool { return r == '_' || r == '.' })
	for i, word := range words {
		switch word {
		case "id", "json", "sha":
			words[i] = strings.ToUpper(word)
		case "ids":
			words[i] = "IDs"
		default:
			words[i] = strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return strings.Join(words, "")
}

// exports lists what the package's source exports: names, and Type.Member.
func exports(t *testing.T) map[string]bool {
	found := map[string]bool{}
	files := token.NewFileSet()
	packages, err := parser.ParseDir(files, ".", func(info os.FileInfo) bool { return !strings.HasSuffix(info.Name(), "_test.go") }, 0)
	if err != nil {
		t.Fatal(err)
	}
	add := func(parts ...string) {
		if !slices.ContainsFunc(parts, func(part string) bool { return !ast.IsExported(part) }) {
			found[strings.Join(parts, ".")] = true
		}
	}
	for _, file := range packages["barograph"].Files {
		for _, declaration := range file.Decls {
			switch declaration := declaration.(type) {
			case *ast.FuncDecl:
				if declaration.Recv == nil {
					add(declaration.Name.Name)
					continue
				}
				receiver := declaration.Recv.List[0].Type
				if pointer, ok := receiver.(*ast.StarExpr); ok {
					receiver = pointer.X
				}
				add(receiver.(*ast.Ident).Name, declaration.Name.Name)
			case *ast.GenDecl:
				for _, spec := range declaration.Specs {
					switch spec := spec.(type) {
					case *ast.ValueSpec:
						for _, name := range spec.Names {
							add(name.Name)
						}
					case *ast.TypeSpec:
						add(spec.Name.Name)
						if fields, ok := spec.Type.(*ast.StructType); ok {
							for _, field := range fields.Fields.List {
								for _, name := range field.Names {
									add(spec.Name.Name, name.Name)
								}
							}
						}
					}
				}
			}
		}
	}
	return found
}

func TestExportsAreThoseOfTheManifest(t *testing.T) {
	text, err := os.ReadFile("../api.manifest")
	if err != nil {
		t.Fatal(err)
	}
	found, wanted := exports(t), map[string]bool{}
	for _, name := range byHand {
		wanted[name] = true
	}
	var kinds []string
	parameters := map[string][]string{} // record of arguments: fields that no option holds
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		switch words[0] {
		case "class":
			wanted[words[1]], wanted[words[1]+".Close"] = true, true
		case "enum":
			name, variant, _ := strings.Cut(words[1], ".")
			wanted[name], wanted[name+goName(variant)] = true, true
			if name == "Kind" {
				kinds = append(kinds, goName(variant))
			}
		case "record":
			if !strings.HasSuffix(words[1], "Args") && words[1] != "ErrorRecord" {
				wanted[words[1]] = true
			}
		case "field":
			name, field, _ := strings.Cut(words[1], ".")
			options, isArgument := strings.CutSuffix(name, "Args")
			switch option := options + "Options." + goName(strings.TrimSuffix(field, "_ms")); {
			case name == "ErrorRecord":
				wanted["Error."+goName(field)] = true
			case !isArgument:
				wanted[name+"."+goName(field)] = true
			case found[option]:
				wanted[option] = true
			case found[options+"Options."+goName(field)]:
				wanted[options+"Options."+goName(field)] = true
			default:
				parameters[name] = append(parameters[name], field)
			}
		case "operation":
			noun, verb, _ := strings.Cut(words[1], ".")
			options := strings.TrimSuffix(words[2], "Args") + "Options"
			if words[2] == "NoArgs" {
				options = goName(verb) + "Options"
			}
			wanted[options] = true
			name := operationName(noun, goName(verb), found)
			wanted[name] = true
			if noun != "workspace" && strings.Contains(name, ".") {
				if receiver, _, _ := strings.Cut(name, "."); !found[receiver+".Close"] {
					wanted[receiver], wanted["Workspace."+goName(noun)] = true, true
				}
			}
			if found[name+"Columns"] {
				wanted[name+"Columns"] = true
			}
		}
	}
	for _, kind := range kinds {
		wanted["Err"+kind] = true
		if (&Error{Kind: Kind(snake(kind))}).Is(nil) || sentinels[Kind(snake(kind))] == nil {
			t.Errorf("kind %s has no sentinel", kind)
		}
	}
	for name := range wanted {
		if !found[name] {
			t.Errorf("the manifest asks for %s, which is not exported", name)
		}
	}
	for name := range found {
		if !wanted[name] {
			t.Errorf("%s is exported, but neither in the manifest nor in byHand", name)
		}
	}
	// Every argument that no option holds is a parameter: ctx, parameters, opts.
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if words[0] != "operation" || words[1] == "workspace.open" {
			continue
		}
		noun, verb, _ := strings.Cut(words[1], ".")
		receiver, method, _ := strings.Cut(operationName(noun, goName(verb), found), ".")
		kind := receivers[receiver]
		if kind == nil {
			t.Errorf("%s has no receiver", words[1])
			continue
		}
		found, ok := kind.MethodByName(method)
		if !ok || found.Type.NumIn() != 3+len(parameters[words[2]]) {
			t.Errorf("%s.%s does not take ctx, %v and options", receiver, method, parameters[words[2]])
		}
	}
}

func TestTheLibraryIsOfTheVersionThatTheModuleRequires(t *testing.T) {
	text, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	info, err := memory(t).Info(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "/lib/linux_amd64 v"+info.Version+"\n") {
		t.Fatalf("go.mod does not require version %s of the library", info.Version)
	}
}

// operationName is where an operation lives: on the package, a class, or a noun.
func operationName(noun, verb string, found map[string]bool) string {
	if noun == "workspace" && verb == "Open" {
		return "Open"
	}
	names := []string{goName(noun) + "." + verb, goName(noun) + "s." + verb, "EventStream." + verb}
	// Opening a class is the noun's business, though class and noun bear one name.
	for _, name := range []string{names[1], names[0], names[2]} {
		if found[name] {
			return name
		}
	}
	return names[0]
}

func snake(name string) string {
	var out strings.Builder
	for i, letter := range name {
		if i > 0 && letter < 'a' {
			out.WriteByte('_')
		}
		out.WriteString(strings.ToLower(string(letter)))
	}
	return out.String()
}
