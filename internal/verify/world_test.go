package verify

import (
	"bytes"
	"compress/zlib"
	"crypto/ed25519"
	"crypto/sha1"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// world is a bare repository with a trunk and a ledger, written object by object by code that the product does not know.
type world struct {
	t       testing.TB
	dir     string
	lane    string
	by      string // who commits as lander
	signer  ssh.Signer
	known   map[string]bool // objects that were made
	pending bytes.Buffer    // objects as they stand in a pack
	count   uint32          // of them
	zip     *zlib.Writer
	files   map[string]map[string]string // of commits
	refs    map[string]string
	seconds int64
	seq     int64
	attempt int64
}

const (
	lander = "Lander <lander@example.com>"
	noor   = "Noor <noor@example.com>"
	maya   = "Maya <maya@example.com>"
)

// The branches of the world.
const (
	trunkRef  = "refs/heads/main"
	ledgerRef = "refs/heads/lander-ledger/main"
)

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{
		t: t, dir: filepath.Join(t.TempDir(), "app.git"), lane: "acme/app:main", by: lander, known: map[string]bool{},
		files: map[string]map[string]string{}, refs: map[string]string{}, seconds: 1_795_000_000,
	}
	w.git("init", "-q", "--bare", "--initial-branch=main", w.dir)
	return w
}

// adopted is a world in which lander has begun, on a trunk of three commits.
func adopted(t testing.TB) *world {
	t.Helper()
	w := newWorld(t)
	w.begin()
	return w
}

func (w *world) begin() {
	w.t.Helper()
	at := ""
	for i, edits := range [][]edit{
		{{"a.txt", "", "one\ntwo\nthree\nfour\nfive\nsix\nseven\n"}, {"b/b.txt", "", "b\n"}},
		{{"c.txt", "", "c\n"}},
		{{"d.txt", "", "d\n"}},
	} {
		at = w.commit(draft{by: maya, message: fmt.Sprintf("before %d", i), edits: edits}, maya, at)
	}
	w.refs[trunkRef] = at
	w.record(map[string]any{"decision": "adopt", "new": at}, nil)
}

// git runs git in the world's repository.
func (w *world) git(args ...string) string {
	w.t.Helper()
	return w.gitIn(w.dir, args...)
}

func (w *world) gitIn(dir string, args ...string) string {
	w.t.Helper()
	cmd := exec.Command("git", args...)
	if _, err := os.Stat(dir); err == nil {
		cmd.Dir = dir
	}
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_AUTHOR_NAME=Sam", "GIT_AUTHOR_EMAIL=sam@example.com", "GIT_COMMITTER_NAME=Sam", "GIT_COMMITTER_EMAIL=sam@example.com",
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		w.t.Fatalf("git %q: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// object makes an object.
func (w *world) object(kind string, body []byte) string {
	sum := sha1.Sum(append(fmt.Appendf(nil, "%s %d\x00", kind, len(body)), body...))
	id := hex.EncodeToString(sum[:])
	if w.known[id] {
		return id
	}
	w.known[id] = true
	size := len(body)
	first := byte(map[string]int{"commit": 1, "tree": 2, "blob": 3}[kind]<<4 | size&15)
	for size >>= 4; size > 0; size >>= 7 {
		w.pending.WriteByte(first | 0x80)
		first = byte(size & 0x7f)
	}
	w.pending.WriteByte(first)
	if w.zip == nil {
		w.zip = zlib.NewWriter(nil)
	}
	w.zip.Reset(&w.pending)
	w.zip.Write(body)
	w.zip.Close()
	w.count++
	return id
}

// flush hands all objects and branches to git.
func (w *world) flush() {
	w.t.Helper()
	if w.count > 0 {
		pack := binary.BigEndian.AppendUint32([]byte("PACK\x00\x00\x00\x02"), w.count)
		pack = append(pack, w.pending.Bytes()...)
		sum := sha1.Sum(pack)
		cmd := exec.Command("git", "index-pack", "--stdin")
		cmd.Dir, cmd.Stdin = w.dir, bytes.NewReader(append(pack, sum[:]...))
		if out, err := cmd.CombinedOutput(); err != nil {
			w.t.Fatalf("index pack: %v\n%s", err, out)
		}
		w.pending.Reset()
		w.count = 0
	}
	for name, id := range w.refs {
		w.git("update-ref", name, id)
	}
}

// tree makes the tree of some files.
func (w *world) tree(files map[string]string) string {
	type item struct{ mode, name, id string }
	var items []item
	below := map[string]map[string]string{}
	for path, text := range files {
		if dir, rest, ok := strings.Cut(path, "/"); ok {
			if below[dir] == nil {
				below[dir] = map[string]string{}
			}
			below[dir][rest] = text
			continue
		}
		items = append(items, item{"100644", path, w.object("blob", []byte(text))})
	}
	for dir, files := range below {
		items = append(items, item{"40000", dir, w.tree(files)})
	}
	key := func(i item) string {
		if i.mode == "40000" {
			return i.name + "/"
		}
		return i.name
	}
	slices.SortFunc(items, func(a, b item) int { return strings.Compare(key(a), key(b)) })
	var body []byte
	for _, i := range items {
		id, _ := hex.DecodeString(i.id)
		body = append(append(body, i.mode+" "+i.name+"\x00"...), id...)
	}
	return w.object("tree", body)
}

// rootOf makes a tree of trees.
func (w *world) rootOf(trees map[string]string) string {
	var body []byte
	for _, name := range slices.Sorted(maps.Keys(trees)) {
		id, _ := hex.DecodeString(trees[name])
		body = append(append(body, "40000 "+name+"\x00"...), id...)
	}
	return w.object("tree", body)
}

// edit replaces old by new in a file; an empty old adds the file, an empty new takes it away.
type edit struct{ path, old, new string }

// draft is a commit that somebody makes.
type draft struct {
	by      string
	message string
	edits   []edit
}

func (w *world) apply(files map[string]string, edits []edit) map[string]string {
	files = maps.Clone(files)
	if files == nil {
		files = map[string]string{}
	}
	for _, e := range edits {
		text := files[e.path]
		switch {
		case e.old == "":
			files[e.path] = e.new
		case !strings.Contains(text, e.old):
			w.t.Fatalf("%s has no %q", e.path, e.old)
		case e.new == "":
			delete(files, e.path)
		default:
			files[e.path] = strings.Replace(text, e.old, e.new, 1)
		}
	}
	return files
}

// commit makes a commit with a step's edits on its first parent's files.
func (w *world) commit(s draft, committer string, parents ...string) string {
	var files map[string]string
	if len(parents) > 0 {
		files = w.files[parents[0]]
	}
	w.seconds++
	return w.write(s, fmt.Sprintf("%s %d +0000", s.by, w.seconds), committer, w.apply(files, s.edits), parents...)
}

func (w *world) write(s draft, author, committer string, files map[string]string, parents ...string) string {
	w.seconds++
	var b strings.Builder
	fmt.Fprintf(&b, "tree %s\n", w.tree(files))
	for _, p := range parents {
		if p != "" {
			fmt.Fprintf(&b, "parent %s\n", p)
		}
	}
	fmt.Fprintf(&b, "author %s\ncommitter %s %d +0000\n\n%s\n", author, committer, w.seconds, s.message)
	id := w.object("commit", []byte(b.String()))
	w.files[id] = files
	return id
}

// pull is a pull request: commits on some base.
type pull struct {
	number  int64
	steps   []draft
	authors []string // of the steps, with dates
	head    string
}

func (w *world) pull(number int64, base string, steps ...draft) *pull {
	p := &pull{number: number, steps: steps, head: base}
	for i, s := range steps {
		if s.by == "" {
			s.by = noor
		}
		if s.message == "" {
			s.message = fmt.Sprintf("change %d, step %d", number, i)
		}
		p.steps[i] = s
		w.seconds++
		p.authors = append(p.authors, fmt.Sprintf("%s %d +0200", s.by, w.seconds))
		p.head = w.write(s, p.authors[i], s.by, w.apply(w.files[p.head], s.edits), p.head)
	}
	return p
}

// one is a pull request of one commit that adds a file, on trunk's tip.
func (w *world) one(number int64) *pull {
	return w.pull(number, w.tip(), draft{edits: []edit{{fmt.Sprintf("file%d", number), "", "text\n"}}})
}

func (w *world) tip() string { return w.refs[trunkRef] }

// landing is what goes into a landing, for tests that falsify it before it is written.
type landing struct {
	style   string
	files   func(map[string]string)    // of each commit made for trunk
	step    func(*draft)               // its author and message
	by      string                     // its committer
	said    func(map[string]any)       // the statement
	parents func([]string) []string    // of the record
	record  func(commit []byte) []byte // the record's object
}

// land lands changes, rebased unless another style is given, and answers the record.
func (w *world) land(pulls ...*pull) string {
	w.t.Helper()
	return w.landAs(landing{}, pulls...)
}

func (w *world) landAs(l landing, pulls ...*pull) string {
	w.t.Helper()
	if l.style == "" {
		l.style = "rebase"
	}
	if l.by == "" {
		l.by = w.by
	}
	old := w.tip()
	at := old
	var entries []any
	heads := []string{}
	put := func(s draft, author string, parents ...string) {
		if l.step != nil {
			l.step(&s)
			author = s.by + author[strings.LastIndex(author, ">")+1:]
		}
		files := w.apply(w.files[at], s.edits)
		if l.files != nil {
			l.files(files)
		}
		at = w.write(s, author, l.by, files, parents...)
	}
	for _, p := range pulls {
		var commits []string
		var all []edit
		for i, s := range p.steps {
			if all = append(all, s.edits...); l.style == "rebase" {
				put(s, p.authors[i], at)
				commits = append(commits, at)
			}
		}
		s := draft{by: p.steps[0].by, message: "change as a whole", edits: all}
		switch l.style {
		case "squash":
			put(s, p.authors[0], at)
			commits = []string{at}
		case "merge":
			s.by = w.by
			put(s, w.by+" 1 +0000", at, p.head)
			commits = []string{at}
		}
		entries = append(entries, map[string]any{
			"number": p.number, "head": p.head, "commits": commits,
			"approvals": []any{map[string]any{"id": 7, "login": "maya", "via": "review", "at": "2026-11-23T09:00:00Z"}},
		})
		heads = append(heads, p.head)
	}
	w.attempt++
	s := map[string]any{
		"decision": "land", "attempt": w.attempt, "entries": entries, "old": old, "new": at, "tree": w.tree(w.files[at]), "style": l.style,
		"recipe_digest": "r", "verdict_digest": "v", "run": 1, "something_new": []any{1, map[string]any{"x": nil}},
	}
	if l.said != nil {
		l.said(s)
	}
	parents := []string{w.refs[ledgerRef]}
	for _, id := range append([]string{at}, heads...) {
		if !slices.Contains(parents, id) {
			parents = append(parents, id)
		}
	}
	if l.parents != nil {
		parents = l.parents(parents)
	}
	w.refs[trunkRef] = at
	return w.recordAs(s, parents, l.record)
}

// give up the attempt with a record.
func (w *world) abort(attempt int64, aborts string) string {
	return w.record(map[string]any{"decision": "abort", "attempt": attempt, "aborts": aborts}, []string{w.refs[ledgerRef]})
}

// record puts a record onto the ledger.
func (w *world) record(s map[string]any, parents []string) string {
	return w.recordAs(s, parents, nil)
}

func (w *world) recordAs(s map[string]any, parents []string, falsify func([]byte) []byte) string {
	w.seconds++
	w.seq++
	said := map[string]any{
		"format": 1, "seq": w.seq, "lane": w.lane, "at": time.Unix(w.seconds, 0).UTC().Format(time.RFC3339),
	}
	maps.Copy(said, s)
	w.seq = asInt(said["seq"])
	text, err := json.MarshalIndent(said, "", "  ")
	if err != nil {
		w.t.Fatal(err)
	}
	w.tree(nil)
	var b bytes.Buffer
	b.WriteString("tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n")
	for _, p := range parents {
		fmt.Fprintf(&b, "parent %s\n", p)
	}
	fmt.Fprintf(&b, "author %s %d +0000\ncommitter %s %d +0000\n", w.by, w.seconds, w.by, w.seconds)
	head := b.Len()
	fmt.Fprintf(&b, "\n%s of this test\n\n%s\n", said["decision"], text)
	body := b.Bytes()
	if w.signer != nil {
		armour := strings.ReplaceAll(strings.TrimSpace(sealWith(w.t, w.signer, "git", body)), "\n", "\n ")
		body = slices.Concat(body[:head], []byte("gpgsig "+armour+"\n"), body[head:])
	}
	if falsify != nil {
		body = falsify(body)
	}
	id := w.object("commit", body)
	w.refs[ledgerRef] = id
	return id
}

func asInt(v any) int64 {
	switch n := v.(type) {
	case int:
		return int64(n)
	case int64:
		return n
	}
	return 0
}

// push is what somebody pushes to trunk by hand.
func (w *world) push(by string, edits ...edit) string {
	id := w.commit(draft{by: by, message: "by hand", edits: edits}, by, w.tip())
	w.refs[trunkRef] = id
	return id
}

// verify flushes and verifies.
func (w *world) verify(o Options) (Report, error) {
	w.t.Helper()
	w.flush()
	if o.Dir == "" {
		o.Dir = w.dir
	}
	return Run(w.t.Context(), o)
}

// must is verify where there is a report.
func (w *world) must(o Options) Report {
	w.t.Helper()
	r, err := w.verify(o)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// newSigner is a key that is made of a number.
func newSigner(t testing.TB, seed byte) ssh.Signer {
	t.Helper()
	s, err := ssh.NewSignerFromKey(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, 32)))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// sealWith signs as ssh-keygen -Y sign does.
func sealWith(t testing.TB, s ssh.Signer, namespace string, payload []byte) string {
	t.Helper()
	sum := sha512.Sum512(payload)
	field := func(b []byte, v string) []byte {
		return append(binary.BigEndian.AppendUint32(b, uint32(len(v))), v...)
	}
	signed := []byte("SSHSIG")
	for _, v := range []string{namespace, "", "sha512", string(sum[:])} {
		signed = field(signed, v)
	}
	sig, err := s.Sign(nil, signed)
	if err != nil {
		t.Fatal(err)
	}
	blob := binary.BigEndian.AppendUint32([]byte("SSHSIG"), 1)
	for _, v := range []string{string(s.PublicKey().Marshal()), namespace, "", "sha512", string(field(field(nil, sig.Format), string(sig.Blob)))} {
		blob = field(blob, v)
	}
	text := base64.StdEncoding.EncodeToString(blob)
	var b strings.Builder
	b.WriteString("-----BEGIN SSH SIGNATURE-----\n")
	for len(text) > 70 {
		b.WriteString(text[:70] + "\n")
		text = text[70:]
	}
	b.WriteString(text + "\n-----END SSH SIGNATURE-----\n")
	return b.String()
}

// allow writes a file of allowed signers.
func allow(t testing.TB, lines ...string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "allowed_signers")
	if err := os.WriteFile(name, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

func keyLine(principal, options string, key ssh.PublicKey) string {
	return strings.Join(strings.Fields(principal+" "+options+" "+strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))), " ")
}
