package hub

import "fmt"

// Refusal is a request turned down, in GitHub's words.
type Refusal struct {
	Status  int     // HTTP status code
	Message string  // as in GitHub's error body
	Errors  []Field // details of a 422
	Doc     string  // documentation_url; empty means the usual one
}

// Field is one detail of a validation error.
type Field struct {
	Resource string `json:"resource,omitempty"`
	Field    string `json:"field,omitempty"`
	Code     string `json:"code,omitempty"`
	Message  string `json:"message,omitempty"`
}

func (e *Refusal) Error() string {
	if len(e.Errors) == 0 {
		return e.Message
	}
	f := e.Errors[0]
	if f.Message != "" {
		return fmt.Sprintf("%s: %s", e.Message, f.Message)
	}
	return fmt.Sprintf("%s: %s of %s is %s", e.Message, f.Field, f.Resource, f.Code)
}

func notFound() error { return &Refusal{Status: 404, Message: "Not Found"} }

func forbidden(message string) error { return &Refusal{Status: 403, Message: message} }

func invalid(resource, field, code string) error {
	return &Refusal{Status: 422, Message: "Validation Failed", Errors: []Field{{Resource: resource, Field: field, Code: code}}}
}

func unprocessable(resource, message string) error {
	return &Refusal{Status: 422, Message: "Validation Failed", Errors: []Field{{Resource: resource, Code: "custom", Message: message}}}
}

const (
	noRight    = "Resource not accessible by personal access token"
	noAppRight = "Resource not accessible by integration"
)
