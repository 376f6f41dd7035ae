package vcs

import (
	"crypto/rand"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"
)

// Signer signs with an SSH key as git does when gpg.format is ssh, so that git verify-commit can check it.
type Signer struct{ key ssh.AlgorithmSigner }

// NewSigner reads a private key, in the form of OpenSSH or in PEM. It cannot ask anybody for a passphrase.
func NewSigner(pem []byte) (*Signer, error) {
	key, err := ssh.ParsePrivateKey(pem)
	var locked *ssh.PassphraseMissingError
	switch {
	case errors.As(err, &locked):
		return nil, errors.New(sayLockedKey)
	case err != nil:
		return nil, fmt.Errorf("read signing key: %w", err)
	}
	signer, ok := key.(ssh.AlgorithmSigner)
	if !ok || key.PublicKey().Type() == dsa {
		return nil, errors.New(sayBadKey(key.PublicKey().Type()))
	}
	return &Signer{key: signer}, nil
}

// PublicKey is the other half of the key, as it stands in an allowed signers file behind the name.
func (s *Signer) PublicKey() string {
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(s.key.PublicKey())))
}

// dsa is a kind of key that git does not sign with any more.
const dsa = "ssh-dss"

// Sign makes the armored signature of a payload. With an Ed25519 or RSA key the same payload gives the same signature.
func (s *Signer) Sign(payload []byte) (string, error) {
	sum := sha512.Sum512(payload)
	said := ssh.Marshal(struct {
		Magic     [6]byte
		Namespace string
		Reserved  string
		Hash      string
		Sum       []byte
	}{sshsig, "git", "", "sha512", sum[:]})
	algorithm := s.key.PublicKey().Type()
	if algorithm == ssh.KeyAlgoRSA {
		algorithm = ssh.KeyAlgoRSASHA512 // what goes by the key's own name is SHA-1, which ssh-keygen refuses
	}
	made, err := s.key.SignWithAlgorithm(rand.Reader, said, algorithm)
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	return armor(ssh.Marshal(struct {
		Magic     [6]byte
		Version   uint32
		PublicKey []byte
		Namespace string
		Reserved  string
		Hash      string
		Signature []byte
	}{sshsig, 1, s.key.PublicKey().Marshal(), "git", "", "sha512", ssh.Marshal(made)})), nil
}

// sshsig is the magic preamble of OpenSSH's signature format.
var sshsig = [6]byte{'S', 'S', 'H', 'S', 'I', 'G'}

func armor(blob []byte) string {
	const width = 70
	text := base64.StdEncoding.EncodeToString(blob)
	var b strings.Builder
	b.WriteString("-----BEGIN SSH SIGNATURE-----\n")
	for len(text) > 0 {
		n := min(width, len(text))
		b.WriteString(text[:n] + "\n")
		text = text[n:]
	}
	b.WriteString("-----END SSH SIGNATURE-----\n")
	return b.String()
}
