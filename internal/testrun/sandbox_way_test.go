package testrun

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"
)

// clientOf makes an HTTP client that goes through w.
func clientOf(t *testing.T, p proxies, named []string) (*http.Client, *way, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := newWay(l, p, named)
	t.Cleanup(w.close)
	proxy := &url.URL{Scheme: "http", Host: l.Addr().String()}
	transport := &http.Transport{Proxy: http.ProxyURL(proxy), DisableKeepAlives: true, TLSClientConfig: nil}
	return &http.Client{Transport: transport, Timeout: 10 * time.Second}, w, l.Addr().String()
}

func get(c *http.Client, address string) (string, int) {
	answer, err := c.Get(address)
	if err != nil {
		return err.Error(), 0
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return err.Error(), 0
	}
	return strings.TrimSpace(string(text)), answer.StatusCode
}

func TestTheWayToTheNetwork(t *testing.T) {
	t.Parallel()
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "hello "+r.Method+" "+r.URL.Path+" "+r.Header.Get("Proxy-Connection")+r.Header.Get("Proxy-Authorization"))
	}))
	defer site.Close()
	at := strings.TrimPrefix(site.URL, "http://")
	c, w, proxy := clientOf(t, proxies{}, []string{at})

	if text, status := get(c, site.URL+"/x"); status != http.StatusBadGateway || !strings.Contains(text, "the network is shut") {
		t.Errorf("shut at first: %d %q", status, text)
	}
	w.open(true)
	if text, status := get(c, site.URL+"/x?q=1"); status != 200 || text != "hello GET /x" {
		t.Errorf("opened: %d %q", status, text)
	}
	if text, status := get(c, "http://localhost:1/"); status != http.StatusBadGateway || !strings.Contains(text, "not for test runs") {
		t.Errorf("by name, to this machine: %d %q", status, text)
	}

	conn, err := net.Dial("tcp", proxy)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "CONNECT "+at+" HTTP/1.1\r\nHost: "+at+"\r\n\r\n")
	read := bufio.NewReader(conn)
	if answer, err := http.ReadResponse(read, &http.Request{Method: http.MethodConnect}); err != nil || answer.StatusCode != 200 {
		t.Fatalf("tunnel: %v, %v", answer, err)
	}
	w.open(false)
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := read.ReadByte(); err != io.EOF {
		t.Errorf("a tunnel through a way that was shut: %v", err)
	}
	for _, request := range []string{"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "CONNECT nonsense HTTP/1.1\r\nHost: nonsense\r\n\r\n", "\x00\x01\r\n\r\n"} {
		conn, err := net.Dial("tcp", proxy)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(conn, request)
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || answer.StatusCode < 400 {
			t.Errorf("%q: %v, %v", request, answer, err)
		}
		conn.Close()
	}
}

func TestTheWayLeadsThroughLandersOwnProxy(t *testing.T) {
	t.Parallel()
	seen := make(chan string, 10)
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen <- r.Method + " " + r.RequestURI + " " + r.Header.Get("Proxy-Authorization")
		if r.Method == http.MethodConnect {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\nfrom there")
				conn.Close()
			}
			return
		}
		io.WriteString(w, "by proxy")
	}))
	defer upstream.Close()
	address := "http://user:word@" + strings.TrimPrefix(upstream.URL, "http://")
	c, w, _ := clientOf(t, proxies{HTTP: address, HTTPS: address, No: []string{".inside.example"}}, nil)
	w.open(true)
	if text, status := get(c, "http://a.example/x"); status != 200 || text != "by proxy" {
		t.Errorf("%d %q", status, text)
	}
	if got := <-seen; got != "GET http://a.example/x Basic dXNlcjp3b3Jk" {
		t.Errorf("upstream saw %q", got)
	}
	conn, err := w.connect(context.Background(), "a.example:443")
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(conn)
	if err != nil || string(text) != "from there" {
		t.Errorf("%q, %v", text, err)
	}
	if got := <-seen; got != "CONNECT a.example:443 Basic dXNlcjp3b3Jk" {
		t.Errorf("upstream saw %q", got)
	}
	for _, at := range []string{"169.254.169.254:80", "127.0.0.1:22", "[::ffff:127.0.0.1]:22"} {
		if _, err := w.connect(t.Context(), at); err == nil {
			t.Errorf("%s by the proxy", at)
		}
	}
	if text, status := get(c, "http://169.254.169.254/latest"); status != http.StatusBadGateway {
		t.Errorf("the metadata address by the proxy: %d %q", status, text)
	}
}

func TestForbiddenAddresses(t *testing.T) {
	t.Parallel()
	for text, is := range map[string]bool{
		"127.0.0.1": true, "127.9.9.9": true, "::1": true, "0.0.0.0": true, "0.1.2.3": true, "::": true, "169.254.169.254": true, "fe80::1": true, "224.0.0.1": true, "255.255.255.255": true,
		"::ffff:127.0.0.1": true, "::ffff:169.254.169.254": true, "fd00:ec2::254": true, "168.63.129.16": true,
		"8.8.8.8": false, "10.1.2.3": false, "2001:4860:4860::8888": false,
	} {
		if forbidden(netip.MustParseAddr(text)) != is {
			t.Errorf("forbidden(%s) = %v", text, !is)
		}
	}
}
