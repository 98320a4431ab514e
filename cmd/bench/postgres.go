//go:build postgres

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"muster/events"
)

// PostgreSQL as an event store is usually made of it: one row for each event, with the version of
// its stream that the writer expects, which a unique key checks. Everything that makes it durable
// is on, as it is by default.

const eventsTable = `create table events (
	sequence bigint generated always as identity primary key,
	stream   text not null,
	version  bigint not null,
	data     text not null,
	unique (stream, version))`

// A postgres is a cluster of its own.
type postgres struct {
	bin, dir string
	who      *syscall.Credential // the server refuses to run as root
	pool     *pgxpool.Pool
}

// startPostgres makes a cluster in a folder and starts it, or says that there is no PostgreSQL.
func startPostgres(ctx context.Context, dir string, connections int) (*postgres, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		return nil, absent{"PostgreSQL is not installed (apt-get install postgresql)"}
	}
	p := &postgres{bin: filepath.Dir(found[len(found)-1]), dir: filepath.Join(dir, "pg")}
	if err := os.MkdirAll(p.dir, 0o700); err != nil {
		return nil, err
	}
	if err := p.drop(dir); err != nil {
		return nil, err
	}
	if err := p.run("initdb", "-D", p.dir, "-U", "bench", "--auth=trust", "-E", "UTF8",
		"--no-locale"); err != nil {
		return nil, err
	}
	settings := fmt.Sprintf(
		"-c listen_addresses='' -c unix_socket_directories=%s -c max_connections=%d -c fsync=on "+
			"-c synchronous_commit=on -c shared_buffers=256MB", p.dir, connections+10)
	if err := p.run("pg_ctl", "-D", p.dir, "-w", "-t", "60", "-l", filepath.Join(p.dir, "log"),
		"-o", settings, "start"); err != nil {
		return nil, err
	}
	config, err := pgxpool.ParseConfig(fmt.Sprintf("host=%s user=bench dbname=postgres", p.dir))
	if err != nil {
		return nil, err
	}
	config.MaxConns = int32(connections)
	if p.pool, err = pgxpool.NewWithConfig(ctx, config); err == nil {
		_, err = p.pool.Exec(ctx, eventsTable)
	}
	if err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return p, nil
}

// drop finds a user to run as, when this is root, and gives it the folder.
func (p *postgres) drop(dir string) error {
	if os.Getuid() != 0 {
		return nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return absent{"PostgreSQL does not run as root, and there is no user postgres"}
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	p.who = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	for at := dir; at != "/" && at != "."; at = filepath.Dir(at) { // it must be able to come there
		if info, err := os.Stat(at); err == nil && info.Mode().Perm()&0o001 == 0 {
			if err := os.Chmod(at, info.Mode().Perm()|0o011); err != nil {
				return err
			}
		}
	}
	return os.Chown(p.dir, uid, gid)
}

func (p *postgres) run(name string, args ...string) error {
	c := exec.Command(filepath.Join(p.bin, name), args...)
	c.Dir = p.dir
	if p.who != nil {
		c.SysProcAttr = &syscall.SysProcAttr{Credential: p.who}
	}
	out, err := c.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, out)
	}
	return nil
}

func (p *postgres) stop() error {
	if p.pool != nil {
		p.pool.Close()
	}
	return p.run("pg_ctl", "-D", p.dir, "-m", "fast", "-w", "stop")
}

// maxConnections is how many connections writers share: more than that make PostgreSQL slower, not
// faster.
const maxConnections = 64

func openPostgres(ctx context.Context, dir string, _ *generated,
	writers int) (taker, func() error, error) {
	p, err := startPostgres(ctx, dir, min(writers, maxConnections))
	if err != nil {
		return nil, nil, err
	}
	return p.append, p.stop, nil
}

// append appends an event to its stream, which is the pledge, expecting it to be the first there.
func (p *postgres) append(ctx context.Context, r *events.Record) error {
	_, err := p.pool.Exec(ctx, "insert into events (stream, version, data) values ($1, $2, $3)",
		r.Statement.Head().ID.String(), 1, string(r.Stored))
	return err
}

// fill puts records in as fast as it goes.
func (p *postgres) fill(ctx context.Context, records []events.Record) error {
	_, err := p.pool.CopyFrom(ctx, pgx.Identifier{"events"}, []string{"stream", "version", "data"},
		pgx.CopyFromSlice(len(records), func(i int) ([]any, error) {
			return []any{records[i].Statement.Head().ID.String(), int64(1),
				string(records[i].Stored)}, nil
		}))
	return err
}

// readAll reads all events in order and hands on each.
func (p *postgres) readAll(ctx context.Context, do func(data []byte) error) error {
	rows, err := p.pool.Query(ctx, "select data from events order by sequence")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := do(rows.RawValues()[0]); err != nil {
			return err
		}
	}
	return rows.Err()
}
