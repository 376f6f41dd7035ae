package hub

import (
	"encoding/json"
	"strconv"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

type appJSON struct {
	ID          int64     `json:"id"`
	Slug        string    `json:"slug"`
	NodeID      string    `json:"node_id"`
	Owner       *userJSON `json:"owner"`
	Name        string    `json:"name"`
	Description string    `json:"description"`
	ExternalURL string    `json:"external_url"`
	HTMLURL     string    `json:"html_url"`
	CreatedAt   string    `json:"created_at"`
	UpdatedAt   string    `json:"updated_at"`
	Permissions rights    `json:"permissions"`
	Events      []string  `json:"events"`
}

func (s shaper) app(a *App) *appJSON {
	return &appJSON{
		ID: a.ID, Slug: a.Slug, NodeID: node("Integration", a.ID), Owner: s.user(a.Owner), Name: a.Name, HTMLURL: s.site + "/apps/" + a.Slug,
		CreatedAt: stamp(a.CreatedAt), UpdatedAt: stamp(a.CreatedAt), Permissions: a.Rights, Events: allEvents,
	}
}

type installJSON struct {
	ID                  int64     `json:"id"`
	NodeID              string    `json:"node_id"`
	AppID               int64     `json:"app_id"`
	AppSlug             string    `json:"app_slug"`
	TargetID            int64     `json:"target_id"`
	TargetType          string    `json:"target_type"`
	Account             *userJSON `json:"account"`
	AccessTokensURL     string    `json:"access_tokens_url"`
	RepositoriesURL     string    `json:"repositories_url"`
	HTMLURL             string    `json:"html_url"`
	RepositorySelection string    `json:"repository_selection"`
	Permissions         rights    `json:"permissions"`
	Events              []string  `json:"events"`
	CreatedAt           string    `json:"created_at"`
	UpdatedAt           string    `json:"updated_at"`
}

func (i *Installation) selection() string {
	if len(i.Repos) == 0 {
		return "all"
	}
	return "selected"
}

func (s shaper) install(i *Installation) *installJSON {
	a, account := s.h.app(i.App), s.user(i.Account)
	return &installJSON{
		ID: i.ID, NodeID: node("IntegrationInstallation", i.ID), AppID: a.ID, AppSlug: a.Slug, TargetID: account.ID, TargetType: account.Type,
		Account: account, AccessTokensURL: s.api + "/app/installations/" + itoa(i.ID) + "/access_tokens",
		RepositoriesURL: s.api + "/installation/repositories", HTMLURL: s.site + "/settings/installations/" + itoa(i.ID),
		RepositorySelection: i.selection(), Permissions: a.Rights, Events: allEvents,
		CreatedAt: stamp(i.CreatedAt), UpdatedAt: stamp(i.CreatedAt),
	}
}

type hookJSON struct {
	Type      string            `json:"type"`
	ID        int64             `json:"id"`
	Name      string            `json:"name"`
	Active    bool              `json:"active"`
	Events    []string          `json:"events"`
	Config    map[string]string `json:"config"`
	CreatedAt string            `json:"created_at"`
	UpdatedAt string            `json:"updated_at"`
	URL       string            `json:"url"`
	PingURL   string            `json:"ping_url"`
	Log       string            `json:"deliveries_url"`
}

func (s shaper) hook(r *repo, k *Hook) *hookJSON {
	api := s.repoURL(r) + "/hooks/" + itoa(k.ID)
	config := map[string]string{"url": k.URL, "content_type": k.ContentType, "insecure_ssl": "0"}
	if k.Secret != "" {
		config["secret"] = "********"
	}
	return &hookJSON{
		Type: "Repository", ID: k.ID, Name: "web", Active: k.Active, Events: k.Events, Config: config,
		CreatedAt: stamp(k.CreatedAt), UpdatedAt: stamp(k.CreatedAt), URL: api, PingURL: api + "/pings", Log: api + "/deliveries",
	}
}

type deliveryJSON struct {
	ID           int64          `json:"id"`
	GUID         string         `json:"guid"`
	DeliveredAt  string         `json:"delivered_at"`
	Redelivery   bool           `json:"redelivery"`
	Duration     float64        `json:"duration"`
	Status       string         `json:"status"`
	StatusCode   int            `json:"status_code"`
	Event        string         `json:"event"`
	Action       *string        `json:"action"`
	Installation *int64         `json:"installation_id"`
	Repository   int64          `json:"repository_id"`
	URL          string         `json:"url,omitempty"`
	Request      map[string]any `json:"request,omitempty"`
	Response     map[string]any `json:"response,omitempty"`
}

func (s shaper) delivery(r *repo, d *Delivery) *deliveryJSON {
	return &deliveryJSON{
		ID: d.ID, GUID: d.GUID, DeliveredAt: stamp(d.At), Redelivery: d.Again, Duration: d.Took.Seconds(), Status: d.Status,
		StatusCode: d.Code, Event: d.Event, Action: maybe(d.Action), Repository: r.ID,
	}
}

// fullDelivery is a delivery with what was sent and what came back.
func (s shaper) fullDelivery(r *repo, k *Hook, d *Delivery, payload []byte) *deliveryJSON {
	j := s.delivery(r, d)
	j.URL = k.URL
	j.Request = map[string]any{"headers": d.Sent, "payload": json.RawMessage(payload)}
	j.Response = map[string]any{"headers": d.Got, "payload": d.Reply}
	return j
}
