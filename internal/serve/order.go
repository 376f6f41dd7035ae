package serve

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"sync"

	"lander/internal/queue"
	"lander/internal/store/errands"
	"lander/internal/testrun"
)

// order is what a worker is told of a run: the job as it would run here, and the commit of trunk that the pack with it builds on.
type order struct {
	Job testrun.Job
	Tip queue.SHA
}

// protocol names the shape of orders and verdicts. Whoever knows another field, or lacks one, has another protocol, and is handed nothing
// that he would misunderstand.
var protocol = sync.OnceValue(func() string {
	var shape bytes.Buffer
	describe(&shape, reflect.TypeFor[order]())
	describe(&shape, reflect.TypeFor[queue.Verdict]())
	sum := sha256.Sum256(shape.Bytes())
	return hex.EncodeToString(sum[:6])
})

// boxed is the protocol of runs that are to be kept in a sandbox: whoever has one understands both.
func boxed() string { return protocol() + "-boxed" }

// describe writes what of a type is seen in JSON.
func describe(w io.Writer, t reflect.Type) {
	switch t.Kind() {
	case reflect.Struct:
		fmt.Fprint(w, "{")
		for i := range t.NumField() {
			f := t.Field(i)
			fmt.Fprintf(w, "%s %q ", f.Name, f.Tag.Get("json"))
			describe(w, f.Type)
		}
		fmt.Fprint(w, "}")
	case reflect.Slice, reflect.Pointer, reflect.Array:
		fmt.Fprint(w, "*")
		describe(w, t.Elem())
	case reflect.Map:
		fmt.Fprint(w, "map ")
		describe(w, t.Key())
		describe(w, t.Elem())
	default:
		fmt.Fprint(w, t.Kind(), ";")
	}
}

// encode writes what goes to a worker or comes from it.
func encode(v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err == nil && len(text) > errands.MostVerdict {
		err = fmt.Errorf("%d bytes are too many", len(text))
	}
	return text, err
}

// decode reads it, and refuses what this program does not know.
func decode(text []byte, into any) error {
	if len(text) > errands.MostVerdict {
		return fmt.Errorf("%d bytes are too many", len(text))
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("there is more behind it")
	}
	return nil
}
