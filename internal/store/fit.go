package store

import (
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"lander/internal/queue"
)

// fit is a deep copy of v as Postgres can hold it: times in UTC and whole microseconds, text in UTF-8 without NUL, and nil for
// every empty list and map. What Load returns is fit; what Save is given is made so.
func fit[T any](v T) T {
	if in := reflect.ValueOf(v); in.IsValid() {
		return fitted(in).Interface().(T)
	}
	return v
}

func fitted(in reflect.Value) reflect.Value {
	if t, ok := in.Interface().(time.Time); ok {
		if t.IsZero() {
			return reflect.ValueOf(time.Time{})
		}
		return reflect.ValueOf(t.UTC().Truncate(time.Microsecond))
	}
	out := reflect.New(in.Type()).Elem()
	switch in.Kind() {
	case reflect.String:
		out.SetString(text(in.String()))
	case reflect.Struct:
		for i := range in.NumField() {
			out.Field(i).Set(fitted(in.Field(i)))
		}
		if step, ok := in.Interface().(queue.Step); ok && step.Needs != nil && len(step.Needs) == 0 {
			out.Set(reflect.ValueOf(needless(out.Interface().(queue.Step))))
		}
	case reflect.Pointer:
		if !in.IsNil() {
			out.Set(reflect.New(in.Type().Elem()))
			out.Elem().Set(fitted(in.Elem()))
		}
	case reflect.Slice:
		if in.Len() > 0 {
			out.Set(reflect.MakeSlice(in.Type(), in.Len(), in.Len()))
			for i := range in.Len() {
				out.Index(i).Set(fitted(in.Index(i)))
			}
		}
	case reflect.Map:
		if in.Len() > 0 {
			out.Set(reflect.MakeMapWithSize(in.Type(), in.Len()))
			for key, value := range in.Seq2() {
				out.SetMapIndex(fitted(key), fitted(value))
			}
		}
	default:
		out.Set(in)
	}
	return out
}

// needless is a step that needs none of those before it, which is something else than not saying what it needs.
func needless(s queue.Step) queue.Step {
	s.Needs = []string{}
	return s
}

// text replaces what Postgres refuses to store.
func text(s string) string {
	if utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}
