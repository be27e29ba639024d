// A service to try HEALTHCHECK on: GET /health answers 200 {"status":"UP"} until
// GET /testability/healthy/false, and then 503 until GET /testability/healthy/true.
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
	flag.Parse()

	server := &http.Server{
		Addr:              ":" + *port,
		Handler:           routes(),
		ReadHeaderTimeout: 5 * time.Second,
	}
	if err := serve(server); err != nil {
		log.Fatal(err)
	}
}

// routes keeps the one thing the service knows: whether it is well.
func routes() http.Handler {
	var healthy atomic.Bool
	healthy.Store(true)

	mux := http.NewServeMux()
	mux.HandleFunc("/health", func(w http.ResponseWriter, _ *http.Request) {
		if healthy.Load() {
			reply(w, http.StatusOK, `{"status":"UP"}`)
		} else {
			reply(w, http.StatusServiceUnavailable, `{"status":"Database unaccessible"}`)
		}
	})
	mux.HandleFunc(toggle, func(w http.ResponseWriter, r *http.Request) {
		value := strings.TrimPrefix(r.URL.Path, toggle)
		if value != "true" && value != "false" {
			reply(w, http.StatusBadRequest, `{"error":"expected true or false"}`)
			return
		}
		healthy.Store(value == "true")
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

// serve answers until SIGTERM, which `docker stop` sends, or Ctrl-C, and then lets running requests finish.
func serve(server *http.Server) error {
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer cancel()

	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()

	select {
	case err := <-failed:
		return err
	case <-stop.Done():
	}
	// Docker kills ten seconds after it asked.
	grace, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return server.Shutdown(grace)
}
