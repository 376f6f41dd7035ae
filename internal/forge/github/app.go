package github

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/golang-jwt/jwt/v5"
	gogithub "github.com/google/go-github/v60/github"
	"golang.org/x/oauth2"
)

// renewal is how long before its end a token is replaced.
const renewal = 5 * time.Minute

// signer proves that lander is the App. It is the source of the tokens that are good for the App's own few requests.
type signer struct {
	id  int64
	key *rsa.PrivateKey
	now func() time.Time
}

func newSigner(a *App, now func() time.Time) (*signer, error) {
	if a.ID <= 0 {
		return nil, errors.New("the App has no id")
	}
	key, err := jwt.ParseRSAPrivateKeyFromPEM(a.Key)
	if err != nil {
		return nil, fmt.Errorf("read private key of the App: %w", err)
	}
	return &signer{id: a.ID, key: key, now: now}, nil
}

// Token signs a new proof. GitHub takes none that is longer than ten minutes, nor one from the future: clocks differ.
func (s *signer) Token() (*oauth2.Token, error) {
	now := s.now()
	proof, err := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.RegisteredClaims{
		Issuer:    strconv.FormatInt(s.id, 10),
		IssuedAt:  jwt.NewNumericDate(now.Add(-time.Minute)),
		ExpiresAt: jwt.NewNumericDate(now.Add(8 * time.Minute)),
	}).SignedString(s.key)
	if err != nil {
		return nil, fmt.Errorf("sign as the App: %w", err)
	}
	return &oauth2.Token{AccessToken: proof}, nil
}

// installationToken gets a token that is good for this repository alone.
func (c *Client) installationToken(ctx context.Context, owner, name string) (token string, expires time.Time, err error) {
	gh := c.rest("app", c.app)
	id := c.config.App.InstallationID
	if id == 0 {
		in, _, err := gh.Apps.FindRepositoryInstallation(ctx, owner, name)
		if err != nil {
			return "", time.Time{}, c.fault("find installation for "+owner+"/"+name, nil, err)
		}
		id = in.GetID()
	}
	t, _, err := gh.Apps.CreateInstallationToken(ctx, id, &gogithub.InstallationTokenOptions{Repositories: []string{name}})
	if err != nil {
		return "", time.Time{}, c.fault("get installation token for "+owner+"/"+name, nil, err)
	}
	if t.GetToken() == "" || t.GetExpiresAt().IsZero() {
		return "", time.Time{}, fmt.Errorf("get installation token for %s/%s: %w", owner, name, errors.New("the answer holds none"))
	}
	return t.GetToken(), t.GetExpiresAt().Time, nil
}
