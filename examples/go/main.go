// A service to try HEALTHCHECK on: GET /health answers 200 {"status":"UP"} until
// GET /testability/healthy/false, and then 503 until GET /testability/healthy/true.
//
// It ends as a service in a swarm should. After SIGTERM, /health and /ready are 503, so that whoever sends requests sends
// them elsewhere, and for -drain it answers those that come all the same. /live is 200 as long as it can answer at all:
// that is for those who would restart it.
package main

import (
	"context"
	"flag"
	"log"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

const toggle = "/testability/healthy/"

func main() {
	defaultPort := os.Getenv("PORT")
	if defaultPort == "" {
		defaultPort = "6767"
	}
	port := flag.String("port", defaultPort, "port to listen on; $PORT sets the default")
	drain := flag.Duration("drain", 3*time.Second, "how long to serve on after SIGTERM")
	flag.Parse()

	var s service
	s.healthy.Store(true)
	server := &http.Server{
		Addr:              ":" + *port,
		Handler:           s.routes(),
		ReadHeaderTimeout: 5 * time.Second,
	}
	if err := s.serve(server, *drain); err != nil {
		log.Fatal(err)
	}
}

// service is what it knows of itself.
type service struct {
	healthy, draining atomic.Bool
}

func (s *service) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/live", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, `{"status":"UP"}`)
	})
	mux.HandleFunc("/ready", func(w http.ResponseWriter, _ *http.Request) {
		if s.draining.Load() {
			reply(w, http.StatusServiceUnavailable, `{"status":"DRAINING"}`)
		} else {
			reply(w, http.StatusOK, `{"status":"UP"}`)
		}
	})
	mux.HandleFunc("/health", func(w http.ResponseWriter, _ *http.Request) {
		switch {
		case s.draining.Load():
			reply(w, http.StatusServiceUnavailable, `{"status":"DRAINING"}`)
		case s.healthy.Load():
			reply(w, http.StatusOK, `{"status":"UP"}`)
		default:
			reply(w, http.StatusServiceUnavailable, `{"status":"Database unaccessible"}`)
		}
	})
	mux.HandleFunc(toggle, func(w http.ResponseWriter, r *http.Request) {
		value := strings.TrimPrefix(r.URL.Path, toggle)
		if value != "true" && value != "false" {
			reply(w, http.StatusBadRequest, `{"error":"expected true or false"}`)
			return
		}
		s.healthy.Store(value == "true")
		reply(w, http.StatusOK, `{"healthy":`+value+`}`)
	})
	return mux
}

func reply(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// An error here means that the client has gone, and nobody is left to be told.
	_, _ = w.Write([]byte(body))
}

// serve answers until SIGTERM, which `docker stop` sends, or Ctrl-C; then it drains, and lets running requests finish.
func (s *service) serve(server *http.Server, drain time.Duration) error {
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer cancel()

	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()

	select {
	case err := <-failed:
		return err
	case <-stop.Done():
	}
	// A second signal ends the program at once.
	cancel()
	s.draining.Store(true)
	// Whoever keeps a connection opens the next one elsewhere.
	server.SetKeepAlivesEnabled(false)
	time.Sleep(drain)
	// Docker kills ten seconds after it asked.
	grace, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return server.Shutdown(grace)
}
