// A route dump with github.com/vishvananda/netlink. Prints milliseconds and the number of routes.
package main

import (
	"fmt"
	"os"
	"time"

	"github.com/vishvananda/netlink"
)

func main() {
	start := time.Now()
	routes, err := netlink.RouteList(nil, netlink.FAMILY_V4)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	elapsed := float64(time.Since(start).Microseconds()) / 1000
	fmt.Printf("{\"ms\": %.2f, \"count\": %d}\n", elapsed, len(routes))
}
