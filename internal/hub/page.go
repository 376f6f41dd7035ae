package hub

import "net/http"

func (h *Hub) pageRoutes() http.Handler {
	return http.NotFoundHandler()
}
func (h *Hub) serveAvatar(w http.ResponseWriter, r *http.Request) {}
func (h *Hub) serveStyle(w http.ResponseWriter, r *http.Request)  {}
