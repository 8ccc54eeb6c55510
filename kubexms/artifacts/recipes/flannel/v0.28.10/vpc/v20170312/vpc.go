// SPDX-License-Identifier: GPL-3.0-or-later

// Package v20170312 stands in for Tencent's SDK, which no module proxy has any more. flannel compiles
// against it; its tencent-vpc backend answers that it was not built.
package v20170312

import "errors"

var errNotBuilt = errors.New("the tencent-vpc backend is not part of this build")

// Client of an API that is not there.
type Client struct{}

// Filter of a request.
type Filter struct {
	Name   *string
	Values []*string
}

// Route of a route table.
type Route struct {
	DestinationCidrBlock *string
	GatewayType          *string
	GatewayId            *string
	RouteId              *uint64
	RouteType            *string
	Enabled              *bool
}

// RouteTable of a network.
type RouteTable struct {
	RouteTableId *string
	RouteSet     []*Route
}

// DescribeRouteTablesRequest asks for route tables.
type DescribeRouteTablesRequest struct{ Filters []*Filter }

// RouteTables is the content of a response.
type RouteTables struct{ RouteTableSet []*RouteTable }

// DescribeRouteTablesResponse answers with route tables.
type DescribeRouteTablesResponse struct{ Response *RouteTables }

// DeleteRoutesRequest asks for routes to be deleted.
type DeleteRoutesRequest struct {
	RouteTableId *string
	Routes       []*Route
}

// CreateRoutesRequest asks for routes to be made.
type CreateRoutesRequest struct {
	RouteTableId *string
	Routes       []*Route
}

// RoutesResponse answers a change of routes.
type RoutesResponse struct{}

// NewClientWithSecretId returns a client whose every call fails.
func NewClientWithSecretId(_, _, _ string) (*Client, error) { return &Client{}, nil }

// NewDescribeRouteTablesRequest returns an empty request.
func NewDescribeRouteTablesRequest() *DescribeRouteTablesRequest { return &DescribeRouteTablesRequest{} }

// NewDeleteRoutesRequest returns an empty request.
func NewDeleteRoutesRequest() *DeleteRoutesRequest { return &DeleteRoutesRequest{} }

// NewCreateRoutesRequest returns an empty request.
func NewCreateRoutesRequest() *CreateRoutesRequest { return &CreateRoutesRequest{} }

// DescribeRouteTables fails.
func (*Client) DescribeRouteTables(*DescribeRouteTablesRequest) (*DescribeRouteTablesResponse, error) {
	return nil, errNotBuilt
}

// DeleteRoutes fails.
func (*Client) DeleteRoutes(*DeleteRoutesRequest) (*RoutesResponse, error) { return nil, errNotBuilt }

// CreateRoutes fails.
func (*Client) CreateRoutes(*CreateRoutesRequest) (*RoutesResponse, error) { return nil, errNotBuilt }
