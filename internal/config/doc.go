// Package config reads the two things people write for lander: a repository's policy file and the server's settings.
//
// Both are read the same way. The text becomes a YAML tree whose nodes know their place; a small reader walks the tree along a
// table of the keys that are known, and collects every [Problem] instead of ending at the first, so that a person mends the file
// once. Nothing is guessed and nothing is ignored: an unknown key, a wrong type, an impossible value, and a key that this
// version does not act on are all problems. That last one matters most: a policy that asks for code owners and is landed
// without them is worse than a policy that is refused.
//
// A policy comes from a repository that others write to, so the parser is bounded in size and depth, and aliases, anchors, merge
// keys and tags are refused.
//
// The server's settings come from flags, environment variables and a file, in that order of strength, through one table
// ([Settings]); reading them changes nothing and starts nothing. What is secret is a [Secret] from the moment it is read, and
// prints as "[redacted]" wherever it ends up.
package config
