// Package web is lander's HTTP side: webhooks come in, pages and a JSON API go out.
//
// A webhook is read up to a limit, verified, stored, and answered; whoever keeps the lane is nudged. Nothing is decided here, and a
// webhook that is lost or refused costs time only, for the keepers also poll.
//
// What people ask for through the API (pause, resume, land, withdraw, ...) becomes a fact in the lane's inbox, like everything
// else, and the request waits until the lane's keeper has applied it. That is why pause can promise that trunk does not move any
// more once it has returned: its fact is applied and no landing is under way.
//
// Pages and API show the stored state and what queue derives from it. Pages are plain HTML that works without JavaScript; with it,
// a page listens for "changed" and fetches itself again. All viewers of a lane share one look at its version.
//
// Whoever comes over the local socket is an admin, for the socket's file lets in only lander's own user. Whoever shows the API
// token is one too. Everybody else may read where Public says so. Browsers that send a form or a request from another site are
// refused, and no page runs a script that is not lander's own file.
package web
