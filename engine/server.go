package main

import (
	"fmt"
	"net"
	"strconv"
	"time"

	uiserver "github.com/temporalio/ui-server/v2/server"
	uiconfig "github.com/temporalio/ui-server/v2/server/config"
	uioptions "github.com/temporalio/ui-server/v2/server/server_options"
	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/dynamicconfig"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/membership/static"
	"go.temporal.io/server/common/primitives"
	"go.temporal.io/server/temporal"
)

const (
	clusterName = "active" // as `temporal server start-dev` calls it; fixed for the life of a database
	shards      = 1        // fixed for the life of a database too; one SQLite connection serves them all anyway
)

// newServer configures the four roles of a Temporal server in this process, found by static addresses: no gossip, hence no
// membership ports, and nothing listens beyond `ip`.
func newServer(o options, logger log.Logger, dynamic dynamicconfig.Client) (temporal.Server, error) {
	hosts := map[primitives.ServiceName]static.Hosts{}
	services := map[string]config.Service{}
	for _, role := range []primitives.ServiceName{
		primitives.FrontendService, primitives.HistoryService, primitives.MatchingService, primitives.WorkerService,
	} {
		port := o.port
		if role != primitives.FrontendService {
			var err error
			if port, err = freePort(o.ip); err != nil {
				return nil, err
			}
		}
		hosts[role] = static.SingleLocalHost(address(o.ip, port))
		services[string(role)] = config.Service{RPC: config.RPC{GRPCPort: port, BindOnIP: o.ip}}
	}
	frontend := address(o.ip, o.port)
	off := config.ArchivalNamespaceDefaults{
		History:    config.HistoryArchivalNamespaceDefaults{State: "disabled"},
		Visibility: config.VisibilityArchivalNamespaceDefaults{State: "disabled"},
	}
	c := &config.Config{
		Global: config.Global{Membership: config.Membership{MaxJoinDuration: 30 * time.Second, BroadcastAddress: o.ip}},
		Persistence: config.Persistence{
			DefaultStore: "sqlite", VisibilityStore: "sqlite", NumHistoryShards: shards,
			DataStores: map[string]config.DataStore{"sqlite": {SQL: sqlConfig(o.db)}},
		},
		ClusterMetadata: &cluster.Config{
			FailoverVersionIncrement: 10, MasterClusterName: clusterName, CurrentClusterName: clusterName,
			ClusterInformation: map[string]cluster.ClusterInformation{
				clusterName: {Enabled: true, InitialFailoverVersion: 1, RPCAddress: frontend},
			},
		},
		DCRedirectionPolicy: config.DCRedirectionPolicy{Policy: "noop"},
		Services:            services,
		Archival:            config.Archival{History: config.HistoryArchival{State: "disabled"}, Visibility: config.VisibilityArchival{State: "disabled"}},
		NamespaceDefaults:   config.NamespaceDefaults{Archival: off},
		PublicClient:        config.PublicClient{HostPort: frontend},
	}
	return temporal.NewServer(
		temporal.WithConfig(c), temporal.ForServices(temporal.DefaultServices), temporal.WithStaticHosts(hosts), temporal.WithLogger(logger),
		temporal.WithDynamicConfigClient(dynamic), temporal.WithAuthorizer(authorization.NewNoopAuthorizer()),
		temporal.WithClaimMapper(func(*config.Config) authorization.ClaimMapper { return authorization.NewNoopClaimMapper() }),
	)
}

// newUI is Temporal's Web UI. It asks the internet for nothing, and doesn't offer to pause: a paused workflow or activity
// would silently stop a watch and its escape; Hitless has a signal `pause` that doesn't.
func newUI(o options) *uiserver.Server {
	return uiserver.NewServer(uioptions.WithConfigProvider(&uiconfig.Config{
		Host: hostOf(o.ip), Port: o.uiPort, TemporalGRPCAddress: address(o.ip, o.port), EnableUI: true, DefaultNamespace: o.namespace,
		CORS: uiconfig.CORS{CookieInsecure: true}, HideLogs: true, DisableNewsFetch: true, NotifyOnNewVersion: false,
		WorkflowPauseDisabled: true, ActivityCommandsDisabled: true,
	}))
}

func address(ip string, port int) string { return net.JoinHostPort(ip, strconv.Itoa(port)) }

func hostOf(ip string) string {
	if parsed := net.ParseIP(ip); parsed != nil && parsed.To4() == nil {
		return "[" + ip + "]"
	}
	return ip
}

// freePort returns a port that nobody listens on. A connection closed from the listener's side leaves the port in TIME_WAIT,
// and as long as it is the kernel gives it to nobody who asks for any port, while one who names it (this process) may have it:
// so engines that start at the same time don't pick the same.
func freePort(ip string) (int, error) {
	listener, err := net.Listen("tcp", address(ip, 0))
	if err != nil {
		return 0, fmt.Errorf("no free port on %s: %w", ip, err)
	}
	defer listener.Close()
	client, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		return 0, fmt.Errorf("no free port on %s: %w", ip, err)
	}
	defer client.Close()
	accepted, err := listener.Accept()
	if err != nil {
		return 0, fmt.Errorf("no free port on %s: %w", ip, err)
	}
	accepted.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

// pick returns a free port for 0, and otherwise checks that the wanted one can be had, for the server itself would end in a panic.
func pick(ip string, port int, flag string) (int, error) {
	if port == 0 {
		return freePort(ip)
	}
	listener, err := net.Listen("tcp", address(ip, port))
	if err != nil {
		return 0, fmt.Errorf("cannot listen on %s (%s): %w. Another Temporal may be running there; 0 picks a free port", address(ip, port), flag, err)
	}
	return port, listener.Close()
}
