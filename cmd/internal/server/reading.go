package server

import (
	"net"
	"strconv"

	"muster/projections/access"
	"muster/projections/web"
)

// reading says who may read what. Where nothing was said, whoever reaches the server reads all as
// long as that is this machine alone; where others may reach it, by its own address, through a
// proxy or over NATS, they read what is released to the public.
func (s *Server) reading() access.Reading {
	switch {
	case s.cfg.Read != "":
		return s.cfg.Read
	case s.cfg.Inside, s.listener != nil && !s.ListensToOthers() && !s.isPassedOn() &&
		!s.hasGuests():
		return access.ReadOpen
	}
	return access.ReadReleased
}

// isPassedOn reports whether the server was told of something that passes requests of other
// machines on to it, although it listens to this one alone.
func (s *Server) isPassedOn() bool {
	return len(s.cfg.Hosts) > 0 || len(s.cfg.Proxies) > 0 || s.cfg.Plaintext
}

// hasGuests reports whether other machines reach the server over NATS.
func (s *Server) hasGuests() bool {
	address := s.cfg.NATSListen
	if s.natsd == nil {
		address = s.Conn.ConnectedAddr()
	}
	addr, err := net.ResolveTCPAddr("tcp", address)
	return address != "" && (err != nil || !addr.IP.IsLoopback())
}

// sessions are how members sign in, at the addresses at which they reach the server.
func (s *Server) sessions() *web.Sessions {
	ss := web.NewSessions(s.Ledger.Origin(), s.Projector)
	ss.Hosts, ss.TLS, ss.PassedOn = s.names(), s.certificate != nil, s.isPassedOn()
	ss.Port = strconv.Itoa(s.listener.Addr().(*net.TCPAddr).Port)
	return ss
}
