package server

import (
	"net"

	"muster/projections/access"
)

// reading says who may read what. Where nothing was said, whoever reaches the server reads all as
// long as that is this machine alone; where others may reach it, by its own address, through a
// proxy or over NATS, they read what is released to the public.
func (s *Server) reading() access.Reading {
	switch {
	case s.cfg.Read == "" && s.cfg.Inside:
		return access.ReadOpen
	case s.cfg.Read == "" && s.hasGuests():
		return access.ReadReleased
	}
	return s.front.reading()
}

// hasGuests reports whether other machines reach the server over NATS.
func (s *Server) hasGuests() bool {
	address := s.cfg.NATSListen
	if s.cfg.NATS.Given() {
		address = s.Conn.ConnectedAddr()
	}
	addr, err := net.ResolveTCPAddr("tcp", address)
	return address != "" && (err != nil || !addr.IP.IsLoopback())
}
