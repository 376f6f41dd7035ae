package forge_test

import (
	"errors"
	"testing"

	"lander/internal/forge"
)

func TestOnlyWhatWasSignedIsBelieved(t *testing.T) {
	t.Parallel()
	// The secret, the payload and the signature of GitHub's own documentation.
	const secret, body = "It's a Secret to Everybody", "Hello, World!"
	const good = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
	for name, c := range map[string]struct {
		secrets   []string
		signature string
		body      string
		fine      bool
	}{
		"the secret":              {[]string{secret}, good, body, true},
		"the new one of two":      {[]string{secret, "old"}, good, body, true},
		"the old one of two":      {[]string{"new", secret}, good, body, true},
		"another secret":          {[]string{"other"}, good, body, false},
		"no secret":               {nil, good, body, false},
		"another body":            {[]string{secret}, good, body + " ", false},
		"no signature":            {[]string{secret}, "", body, false},
		"sha1":                    {[]string{secret}, "sha1=" + good[7:], body, false},
		"cut short":               {[]string{secret}, good[:len(good)-2], body, false},
		"not hex":                 {[]string{secret}, "sha256=zz" + good[9:], body, false},
		"signed with no secret":   {[]string{""}, "sha256=b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad", "", false},
		"one empty secret of two": {[]string{"", secret}, good, body, true},
	} {
		var secrets [][]byte
		for _, s := range c.secrets {
			secrets = append(secrets, []byte(s))
		}
		err := forge.Verify(secrets, c.signature, []byte(c.body))
		if c.fine && err != nil || !c.fine && !errors.Is(err, forge.ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
