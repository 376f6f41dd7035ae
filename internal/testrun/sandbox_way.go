package testrun

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// proxies are the ones that lander itself goes through. An address may hold a password, which the commands never see.
type proxies struct {
	HTTP, HTTPS string
	No          []string // names for which there is none
}

// proxiesOf reads lander's own environment.
func proxiesOf(own func(string) (string, bool)) proxies {
	first := func(names ...string) string {
		for _, name := range names {
			if value, ok := own(name); ok && value != "" {
				return value
			}
		}
		return ""
	}
	return proxies{
		HTTP: first("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"), HTTPS: first("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"),
		No: strings.FieldsFunc(first("no_proxy", "NO_PROXY"), func(c rune) bool { return c == ',' || c == ' ' }),
	}
}

// proxyVars are the variables by which programs find a proxy.
func proxyVars(address string) []string {
	var vars []string
	for _, name := range []string{"http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"} {
		vars = append(vars, name+"="+address)
	}
	return append(vars, "no_proxy=localhost,127.0.0.1,::1", "NO_PROXY=localhost,127.0.0.1,::1")
}

// way is the way to the network from a sandbox: an HTTP proxy on a socket of the sandbox's own loopback, served from outside. It reaches
// whatever this machine reaches by TCP, but not the machine itself, its neighbours on the link, nor what clouds tell their
// machines. It begins shut, and shutting it cuts what goes through it.
type way struct {
	server  *http.Server
	proxies proxies
	named   []string

	mu    sync.Mutex
	on    bool
	conns map[net.Conn]bool // those to the network
}

const dialLimit = 30 * time.Second

// newWay serves l.
func newWay(l net.Listener, p proxies, named []string) *way {
	w := &way{proxies: p, named: named, conns: map[net.Conn]bool{}}
	forward := &httputil.ReverseProxy{
		Rewrite:       func(*httputil.ProxyRequest) {},
		Transport:     &http.Transport{Proxy: w.proxyFor, DialContext: w.dial, DisableKeepAlives: true},
		FlushInterval: -1,
		ErrorHandler: func(rw http.ResponseWriter, _ *http.Request, err error) {
			http.Error(rw, err.Error(), http.StatusBadGateway)
		},
	}
	w.server = &http.Server{ReadHeaderTimeout: dialLimit, Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodConnect:
			w.tunnel(rw, r)
		case r.URL.Scheme == "http" && r.URL.Host != "":
			forward.ServeHTTP(rw, r)
		default:
			http.Error(rw, sayOnlyProxy, http.StatusBadRequest)
		}
	})}
	go func() { _ = w.server.Serve(l) }() // ends with close
	return w
}

func (w *way) close() {
	w.open(false)
	_ = w.server.Close() // of sockets that nobody is left to hear from
}

// open opens or shuts the way. When it returns, nothing goes through one that is shut.
func (w *way) open(on bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.on = on
	if !on {
		for conn := range w.conns {
			_ = conn.Close() // each is closed once more by who uses it
		}
		clear(w.conns)
	}
}

// wayConn is a connection to the network, which the way can cut.
type wayConn struct {
	net.Conn
	way *way
}

func (c *wayConn) Close() error {
	c.way.mu.Lock()
	delete(c.way.conns, c.Conn)
	c.way.mu.Unlock()
	return c.Conn.Close()
}

// dial reaches out, if the way is open and the address is nobody's who trusts this machine.
func (w *way) dial(ctx context.Context, network, address string) (net.Conn, error) {
	w.mu.Lock()
	on := w.on
	w.mu.Unlock()
	if !on {
		return nil, errShut
	}
	dialer := &net.Dialer{Timeout: dialLimit, Control: func(_, at string, _ syscall.RawConn) error {
		// Of the address itself, after its name was looked up: a name may change its mind.
		if slices.Contains(w.named, address) || slices.Contains(w.named, at) || w.isProxy(address) || reachable(at) {
			return nil
		}
		return errNotFromHere
	}}
	conn, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.on {
		return nil, errors.Join(errShut, conn.Close())
	}
	w.conns[conn] = true
	return &wayConn{conn, w}, nil
}

// isProxy reports whether an address is one of lander's own proxies, which may well be on this machine.
func (w *way) isProxy(address string) bool {
	for _, text := range []string{w.proxies.HTTP, w.proxies.HTTPS} {
		if u, err := proxyURL(text); err == nil && u != nil && hostPort(u) == address {
			return true
		}
	}
	return false
}

func (w *way) proxyFor(r *http.Request) (*url.URL, error) {
	if slices.Contains(w.named, hostPort(r.URL)) {
		return nil, nil
	}
	if at, err := netip.ParseAddr(r.URL.Hostname()); err == nil && forbidden(at) {
		return nil, errNotFromHere
	}
	return w.proxies.of("http", r.URL.Hostname())
}

// of gives the proxy for a host; nil: none.
func (p proxies) of(scheme, host string) (*url.URL, error) {
	for _, no := range p.No {
		no = strings.TrimPrefix(no, "*")
		if no == "" || host == strings.TrimPrefix(no, ".") || strings.HasSuffix(host, "."+strings.TrimPrefix(no, ".")) {
			return nil, nil
		}
	}
	if scheme == "https" {
		return proxyURL(p.HTTPS)
	}
	return proxyURL(p.HTTP)
}

func proxyURL(text string) (*url.URL, error) {
	if text == "" {
		return nil, nil
	}
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" || u.Host == "" {
		return nil, errProxyKind // its address may hold a password
	}
	return u, nil
}

func hostPort(u *url.URL) string {
	if u.Port() == "" {
		return net.JoinHostPort(u.Hostname(), "80")
	}
	return u.Host
}

// tunnel joins a client with the address that it names.
func (w *way) tunnel(rw http.ResponseWriter, r *http.Request) {
	there, err := w.connect(r.Context(), r.Host)
	if err != nil {
		http.Error(rw, err.Error(), http.StatusBadGateway)
		return
	}
	defer there.Close()
	here, buffered, err := http.NewResponseController(rw).Hijack()
	if err != nil {
		http.Error(rw, err.Error(), http.StatusInternalServerError)
		return
	}
	defer here.Close()
	if _, err := here.Write([]byte("HTTP/1.1 200 OK\r\n\r\n")); err != nil {
		return
	}
	done := make(chan struct{}, 2)
	join := func(to net.Conn, from io.Reader) {
		_, _ = io.Copy(to, from) // either side may end it at any time
		if half, ok := to.(interface{ CloseWrite() error }); ok {
			_ = half.CloseWrite()
		}
		done <- struct{}{}
	}
	go join(there, buffered)
	go join(here, there)
	<-done
	<-done
}

// CloseWrite says that nothing more comes.
func (c *wayConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// connect reaches an address, through lander's own proxy where there is one.
func (w *way) connect(ctx context.Context, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	proxy, err := w.proxies.of("https", host)
	if err != nil {
		return nil, err
	}
	if proxy == nil || slices.Contains(w.named, address) {
		return w.dial(ctx, "tcp", address)
	}
	if at, err := netip.ParseAddr(host); err == nil && forbidden(at) {
		return nil, errNotFromHere
	}
	conn, err := w.dial(ctx, "tcp", hostPort(proxy))
	if err != nil {
		return nil, err
	}
	request := "CONNECT " + address + " HTTP/1.1\r\nHost: " + address + "\r\n"
	if u := proxy.User; u != nil {
		password, _ := u.Password()
		request += "Proxy-Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(u.Username()+":"+password)) + "\r\n"
	}
	if _, err := io.WriteString(conn, request+"\r\n"); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	read := bufio.NewReader(conn)
	answer, err := http.ReadResponse(read, &http.Request{Method: http.MethodConnect})
	if err == nil && answer.StatusCode != http.StatusOK {
		err = errors.Join(fmt.Errorf("proxy answers %s", answer.Status), answer.Body.Close())
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return &readAhead{conn, read}, nil
}

// readAhead is a connection of which something was read already.
type readAhead struct {
	net.Conn
	from *bufio.Reader
}

func (c *readAhead) Read(p []byte) (int, error) { return c.from.Read(p) }

// reachable reports whether a sandbox may reach an address, as host:port.
func reachable(at string) bool {
	address, err := netip.ParseAddrPort(at)
	return err == nil && !forbidden(address.Addr())
}

// told are the addresses, beyond the link-local ones, at which clouds tell a machine its secrets.
var told = []netip.Addr{
	netip.MustParseAddr("168.63.129.16"), netip.MustParseAddr("100.100.100.200"), netip.MustParseAddr("192.0.0.192"), netip.MustParseAddr("fd00:ec2::254"),
}

// forbidden reports an address of this machine, of its link, of many, or of its cloud.
func forbidden(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if a.IsLoopback() || a.IsUnspecified() || a.IsLinkLocalUnicast() || a.IsMulticast() || a.IsInterfaceLocalMulticast() || slices.Contains(told, a) {
		return true
	}
	if a.Is4() && (a.As4()[0] == 0 || a.As4()[0] >= 240) {
		return true
	}
	own, err := net.InterfaceAddrs()
	if err != nil {
		return true // it may be this machine's
	}
	for _, each := range own {
		if p, err := netip.ParsePrefix(each.String()); err == nil && p.Addr().Unmap() == a {
			return true
		}
	}
	return false
}
