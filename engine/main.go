// Hitless' engine: the real Temporal server and its Web UI as one program for one machine, over one SQLite file, on loopback.
// It is what `temporal server start-dev` is, for machines that can't download that: built from public Go modules. Beyond it: new
// search attributes reach an existing file, retention of a year, one engine per file, ports and readiness as one line of JSON.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/server/common/dynamicconfig"
	"go.temporal.io/server/common/headers"
	"go.temporal.io/server/common/log"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

const stopTimeout = 15 * time.Second

// presets are dynamic configuration that a command line may still change.
var presets = []string{
	"frontend.enablePrincipalPropagation=true", // who signalled, where the server authenticates
	"frontend.WorkflowPauseEnabled=false",      // see newUI
	"frontend.namespaceRPS.visibility=100",     // lists of the UI and of several people at once; the default is 10
	"history.hostLevelCacheMaxSize=8096",       // as start-dev: one small machine
}

type options struct {
	db, ip, namespace, logFile string
	port, uiPort               int
	retention                  time.Duration
	attributes                 map[string]enumspb.IndexedValueType
	dynamic                    dynamicconfig.ConfigValueMap
	exitWithParent             bool
}

func versionLine() string {
	ui := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, module := range info.Deps {
			if module.Path == "github.com/temporalio/ui-server/v2" {
				ui = strings.TrimPrefix(module.Version, "v")
			}
		}
	}
	return fmt.Sprintf("hitless-engine (Server %s, UI %s)", headers.ServerVersion, ui)
}

func parse() (o options, err error) {
	o = options{attributes: map[string]enumspb.IndexedValueType{}, retention: 365 * 24 * time.Hour, dynamic: dynamicconfig.ConfigValueMap{}}
	for _, preset := range presets {
		if err := setDynamic(o.dynamic, preset); err != nil {
			return o, err
		}
	}
	flag.StringVar(&o.db, "db", "", "SQLite `file`, created on first use (required)")
	flag.StringVar(&o.ip, "ip", "127.0.0.1", "`address` to listen on")
	flag.IntVar(&o.port, "port", 7233, "gRPC `port` of the frontend; 0 picks a free one")
	uiPort := flag.String("ui-port", "8233", "`port` of the Web UI: a number, 'free' to pick one, 0 for no UI")
	flag.StringVar(&o.namespace, "namespace", "default", "namespace `name`, created on first use")
	flag.StringVar(&o.logFile, "log", "", "`file` for warnings and errors of the server (default: stderr)")
	flag.BoolVar(&o.exitWithParent, "exit-with-parent", false, "end when stdin is closed")
	flag.Func("retention", "how `long` the histories of closed runs are kept, as 365d or 72h (default 365d)", func(s string) (err error) {
		o.retention, err = parseDays(s)
		return err
	})
	flag.Func("search-attribute", "`NAME=Type` to register if it's missing; repeatable", func(s string) error {
		name, kind, _ := strings.Cut(s, "=")
		value, err := enumspb.IndexedValueTypeFromString(kind)
		if err != nil || name == "" || value == enumspb.INDEXED_VALUE_TYPE_UNSPECIFIED {
			return fmt.Errorf("want NAME=Type, with Type one of Keyword, KeywordList, Text, Int, Double, Bool, Datetime")
		}
		o.attributes[name] = value
		return nil
	})
	flag.Func("dynamic-config", "`KEY=JSON` of Temporal's dynamic configuration; repeatable", func(s string) error { return setDynamic(o.dynamic, s) })
	flag.BoolFunc("version", "print the version and end", func(string) error { fmt.Println(versionLine()); os.Exit(0); return nil })
	flag.Parse()
	if o.db == "" || flag.NArg() > 0 {
		return o, fmt.Errorf("want --db FILE and no other arguments, got %q", os.Args[1:])
	}
	if o.port, err = pick(o.ip, o.port, "--port"); err != nil {
		return o, err
	}
	if *uiPort == "free" {
		o.uiPort, err = freePort(o.ip)
	} else if o.uiPort, err = strconv.Atoi(*uiPort); err == nil && o.uiPort != 0 {
		_, err = pick(o.ip, o.uiPort, "--ui-port")
	}
	return o, err
}

func parseDays(s string) (time.Duration, error) {
	if days, found := strings.CutSuffix(s, "d"); found {
		n, err := strconv.Atoi(days)
		return time.Duration(n) * 24 * time.Hour, err
	}
	return time.ParseDuration(s)
}

// setDynamic goes through Temporal's own loader because it knows every key: a misspelt one would otherwise be ignored in silence.
func setDynamic(values dynamicconfig.ConfigValueMap, setting string) error {
	key, value, _ := strings.Cut(setting, "=")
	if !json.Valid([]byte(value)) {
		return fmt.Errorf("want KEY=JSON")
	}
	loader := dynamicconfig.YamlLoader{Map: values}
	loader.LoadValue(dynamicconfig.MakeKey(key), []byte(`[{"value": `+value+`}]`))
	for _, problem := range append(loader.Errors, loader.Warnings...) {
		return problem
	}
	return nil
}

type memoryConfig struct{ values dynamicconfig.ConfigValueMap }

func (m memoryConfig) GetValue(key dynamicconfig.Key) []dynamicconfig.ConstrainedValue {
	return m.values[key]
}

func run() error {
	o, err := parse()
	if err != nil {
		return err
	}
	lock, err := lockDatabase(o.db)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := prepareSchema(o.db); err != nil {
		return err
	}
	if err := prepareNamespace(o.db, o.namespace, o.retention, o.attributes); err != nil {
		return fmt.Errorf("cannot prepare namespace %s in %s: %w", o.namespace, o.db, err)
	}
	logger := log.NewZapLogger(log.BuildZapLogger(log.Config{Level: "warn", OutputFile: o.logFile}))
	server, err := newServer(o, logger, memoryConfig{o.dynamic})
	if err != nil {
		return err
	}

	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	if o.exitWithParent {
		go func() { _, _ = io.Copy(io.Discard, os.Stdin); cancel() }()
	}
	if err := server.Start(); err != nil {
		return err
	}
	ready := map[string]any{"frontend": address(o.ip, o.port), "namespace": o.namespace, "version": versionLine()}
	if o.uiPort != 0 {
		ui := newUI(o)
		go func() { _ = ui.Start() }() // ends the process itself if it can't listen
		defer ui.Stop()
		ready["ui"] = "http://" + address(o.ip, o.uiPort)
	}
	if err := untilServing(stop, o); err != nil && stop.Err() == nil {
		return err
	}
	if stop.Err() == nil {
		line, _ := json.Marshal(ready)
		fmt.Println(string(line))
	}
	<-stop.Done()
	// What is committed is safe however the process ends, so a role that doesn't want to stop gets no say in it.
	time.AfterFunc(stopTimeout, func() { os.Exit(0) })
	return server.Stop()
}

// untilServing waits until the frontend calls itself healthy and the UI answers.
func untilServing(ctx context.Context, o options) error {
	ctx, cancel := context.WithTimeout(ctx, 60*time.Second)
	defer cancel()
	conn, err := grpc.NewClient(address(o.ip, o.port), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer conn.Close()
	for {
		answer, err := healthpb.NewHealthClient(conn).Check(ctx, &healthpb.HealthCheckRequest{Service: "temporal.api.workflowservice.v1.WorkflowService"})
		if err == nil && answer.Status == healthpb.HealthCheckResponse_SERVING {
			if o.uiPort == 0 {
				return nil
			}
			var page *http.Response
			if page, err = http.Get("http://" + address(o.ip, o.uiPort) + "/healthz"); err == nil {
				page.Body.Close()
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the server started but didn't begin to serve on %s: %w", address(o.ip, o.port), err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "hitless-engine:", err)
		os.Exit(1)
	}
}
