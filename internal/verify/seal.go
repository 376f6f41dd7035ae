package verify

import (
	"bytes"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// seal is what is known about a record's signature.
type seal struct {
	key       string // the fingerprint; empty: it is not signed
	kind      string // of the key
	principal string // who the allowed signers say it is; empty: nobody vouches for it
	err       error  // why the signature counts for nothing
}

func (s seal) vouched() bool { return s.principal != "" }

// judge checks a signature over a payload, made at a time in seconds since 1970. Without signers any key may have made it.
func judge(payload []byte, armoured string, at int64, signers *signers) seal {
	sig, err := parseSignature(armoured)
	if err != nil {
		return seal{err: err}
	}
	s := seal{key: ssh.FingerprintSHA256(sig.key), kind: sig.key.Type()}
	if s.err = sig.verify(payload); s.err == nil && signers != nil {
		s.principal, s.err = signers.find(sig.key, at)
	}
	if s.err != nil {
		return seal{err: s.err}
	}
	return s
}

// signature is a signature as ssh-keygen -Y sign makes it (PROTOCOL.sshsig of OpenSSH).
type signature struct {
	key       ssh.PublicKey
	namespace string
	reserved  string
	digest    string
	sig       ssh.Signature
}

const (
	sealMagic = "SSHSIG"
	sealBegin = "-----BEGIN SSH SIGNATURE-----"
	sealEnd   = "-----END SSH SIGNATURE-----"
)

// algorithms are the signatures that count, by the type of the key. SHA-1 is not among them.
var algorithms = map[string][]string{
	ssh.KeyAlgoED25519:    {ssh.KeyAlgoED25519},
	ssh.KeyAlgoSKED25519:  {ssh.KeyAlgoSKED25519},
	ssh.KeyAlgoECDSA256:   {ssh.KeyAlgoECDSA256},
	ssh.KeyAlgoECDSA384:   {ssh.KeyAlgoECDSA384},
	ssh.KeyAlgoECDSA521:   {ssh.KeyAlgoECDSA521},
	ssh.KeyAlgoSKECDSA256: {ssh.KeyAlgoSKECDSA256},
	ssh.KeyAlgoRSA:        {ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSASHA512},
}

const leastRSA = 2048 // bits

func parseSignature(armoured string) (*signature, error) {
	text := strings.TrimSpace(armoured)
	if strings.HasPrefix(text, "-----BEGIN PGP") {
		return nil, errors.New("it is a PGP signature, and lander signs with SSH keys")
	}
	text, ok := strings.CutPrefix(text, sealBegin)
	text, end := strings.CutSuffix(text, sealEnd)
	if !ok || !end {
		return nil, errors.New("it is no SSH signature")
	}
	blob, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		return nil, fmt.Errorf("it cannot be decoded: %w", err)
	}
	rest, ok := bytes.CutPrefix(blob, []byte(sealMagic))
	if !ok || len(rest) < 4 {
		return nil, errors.New("it is no SSH signature")
	}
	if version := binary.BigEndian.Uint32(rest); version != 1 {
		return nil, fmt.Errorf("it is of version %d, and only 1 is known", version)
	}
	var fields struct {
		Key       []byte
		Namespace string
		Reserved  string
		Digest    string
		Signature []byte
	}
	if err := ssh.Unmarshal(rest[4:], &fields); err != nil {
		return nil, fmt.Errorf("it cannot be read: %w", err)
	}
	s := &signature{namespace: fields.Namespace, reserved: fields.Reserved, digest: fields.Digest}
	if s.key, err = ssh.ParsePublicKey(fields.Key); err != nil {
		return nil, fmt.Errorf("its key cannot be read: %w", err)
	}
	if _, ok := s.key.(*ssh.Certificate); ok {
		return nil, errors.New("it was made with a certificate; lander verify judges plain keys only")
	}
	if err := ssh.Unmarshal(fields.Signature, &s.sig); err != nil {
		return nil, fmt.Errorf("it cannot be read: %w", err)
	}
	return s, nil
}

// verify checks that the key signed the payload for git.
func (s *signature) verify(payload []byte) error {
	if s.namespace != "git" {
		return fmt.Errorf("it was made for %q, not for git", s.namespace)
	}
	if !slices.Contains(algorithms[s.key.Type()], s.sig.Format) {
		return fmt.Errorf("a %s key with a %s signature is not accepted", s.key.Type(), s.sig.Format)
	}
	if c, ok := s.key.(ssh.CryptoPublicKey); ok {
		if k, ok := c.CryptoPublicKey().(*rsa.PublicKey); ok && k.N.BitLen() < leastRSA {
			return fmt.Errorf("an RSA key of %d bits is not accepted", k.N.BitLen())
		}
	}
	var sum []byte
	switch s.digest {
	case "sha512":
		h := sha512.Sum512(payload)
		sum = h[:]
	case "sha256":
		h := sha256.Sum256(payload)
		sum = h[:]
	default:
		return fmt.Errorf("its digest %q is not known", s.digest)
	}
	signed := append([]byte(sealMagic), ssh.Marshal(struct {
		Namespace, Reserved, Digest string
		Sum                         []byte
	}{s.namespace, s.reserved, s.digest, sum})...)
	if err := s.key.Verify(signed, &s.sig); err != nil {
		return errors.New("it does not fit what was signed")
	}
	return nil
}
