package hub

import "slices"

// hookRoutes are about webhooks.
func (h *Hub) hookRoutes(on func(string, operation)) {
	const at = "/repos/{owner}/{repo}/hooks"
	on("GET "+at, listHooks)
	on("POST "+at, createHook)
	on("GET "+at+"/{id}", getHook)
	on("DELETE "+at+"/{id}", deleteHook)
	on("POST "+at+"/{id}/pings", pingHook)
	on("GET "+at+"/{id}/deliveries", listDeliveries)
	on("GET "+at+"/{id}/deliveries/{delivery}", getDelivery)
	on("POST "+at+"/{id}/deliveries/{delivery}/attempts", redeliver)
}

// needHooks refuses those who may not see a repository's webhooks. The state must be locked.
func (c *call) needHooks() error {
	if c.who.install != nil && c.who.token.Rights["repository_hooks"] != "" && c.who.install.covers(c.repo) {
		return nil
	}
	if err := c.h.need(c.who, c.repo, RoleAdmin); err != nil {
		return notFound() // GitHub does not say that there is something to see
	}
	return nil
}

// hook is the hook that the path names. The state must be locked.
func (c *call) hook() (*Hook, error) {
	if err := c.needHooks(); err != nil {
		return nil, err
	}
	id, err := c.number("id")
	if err != nil {
		return nil, err
	}
	for _, k := range c.repo.Hooks {
		if k.ID == id {
			return k, nil
		}
	}
	return nil, notFound()
}

func listHooks(c *call) (code int, v any, err error) {
	c.h.read(func() {
		if err = c.needHooks(); err == nil {
			v = each(page(c, c.repo.Hooks), func(k *Hook) *hookJSON { return c.shape.hook(c.repo, k) })
		}
	})
	return 200, v, err
}

func createHook(c *call) (code int, v any, err error) {
	in := struct {
		Name   string
		Active *bool
		Events []string
		Config struct {
			URL         string
			Secret      string
			ContentType string `json:"content_type"`
		}
	}{}
	if err := c.body(&in); err != nil {
		return 0, nil, err
	}
	c.h.read(func() { err = c.needHooks() })
	if err != nil {
		return 0, nil, err
	}
	k := Hook{
		URL: in.Config.URL, Secret: in.Config.Secret, ContentType: or(in.Config.ContentType, "form"), Events: in.Events,
		Active: in.Active == nil || *in.Active,
	}
	if len(k.Events) == 0 {
		k.Events = []string{"push"}
	}
	id, err := c.h.addHook(c.who, c.repo, k)
	if err != nil {
		return 0, nil, err
	}
	c.h.read(func() {
		i := slices.IndexFunc(c.repo.Hooks, func(k *Hook) bool { return k.ID == id })
		v = c.shape.hook(c.repo, c.repo.Hooks[i])
	})
	return 201, v, nil
}

func getHook(c *call) (code int, v any, err error) {
	c.h.read(func() {
		var k *Hook
		if k, err = c.hook(); err == nil {
			v = c.shape.hook(c.repo, k)
		}
	})
	return 200, v, err
}

func deleteHook(c *call) (int, any, error) {
	return 204, nil, c.h.change(func() error {
		k, err := c.hook()
		if err != nil {
			return err
		}
		return c.h.removeHook(c.repo, k.ID)
	})
}

func pingHook(c *call) (int, any, error) {
	return 204, nil, c.h.change(func() error {
		k, err := c.hook()
		if err == nil {
			c.h.emit(c.repo, c.who.user, "ping", "", map[string]any{
				"zen": "Keep it logically awesome.", "hook_id": k.ID, "hook": c.shape.hook(c.repo, k),
			}, k)
		}
		return err
	})
}

func listDeliveries(c *call) (code int, v any, err error) {
	c.h.read(func() {
		var k *Hook
		if k, err = c.hook(); err != nil {
			return
		}
		sent := slices.DeleteFunc(slices.Clone(k.Log), func(d *Delivery) bool { return !d.Done })
		slices.Reverse(sent)
		v = each(page(c, sent), func(d *Delivery) *deliveryJSON { return c.shape.delivery(c.repo, d) })
	})
	return 200, v, err
}

// delivery is the delivery that the path names. The state must be locked.
func (c *call) delivery() (*Hook, *Delivery, error) {
	k, err := c.hook()
	if err != nil {
		return nil, nil, err
	}
	id, err := c.number("delivery")
	if err != nil {
		return nil, nil, err
	}
	for _, d := range k.Log {
		if d.ID == id {
			return k, d, nil
		}
	}
	return nil, nil, notFound()
}

func getDelivery(c *call) (code int, v any, err error) {
	c.h.read(func() {
		var k *Hook
		var d *Delivery
		if k, d, err = c.delivery(); err != nil {
			return
		}
		var payload []byte
		if payload, err = c.h.payload(d); err == nil {
			v = c.shape.fullDelivery(c.repo, k, d, payload)
		}
	})
	return 200, v, err
}

func redeliver(c *call) (int, any, error) {
	return 202, struct{}{}, c.h.change(func() error {
		k, d, err := c.delivery()
		if err != nil {
			return err
		}
		return c.h.redeliver(k, d)
	})
}
