// Package github is GitHub, and whatever speaks its REST API, as a forge.
//
// [Decode] reads webhooks. [Client] reads pull requests whole ([Client.Look]) or only where they stand this moment ([Client.Head]),
// finds the ones that changed ([Client.Open]) and tells people ([Client.Tell]). Nothing here decides anything, and nothing is
// remembered that must be: what the client keeps in memory (answers with their ETag, permissions for a moment, tokens, the last words
// it wrote) only saves requests.
//
// Who lander is, is a token or a GitHub App. An App has one short-lived token for each repository, narrowed to it, and renewed five
// minutes before it ends. Credentials leave the process only in the Authorization header, and only to the configured host: a
// redirect to another one is refused.
//
// Requests to GitHub are many and mostly the same, so each GET carries the ETag of the answer before; GitHub charges nothing for "not
// modified". [Client.Pace] spreads polls so that half of what GitHub grants is left to landings. A GET that failed in a way that may
// pass is repeated once, at once. Nothing waits in here: what must wait comes back as an error that says until when, and the outbox
// waits.
package github
