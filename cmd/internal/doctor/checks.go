package doctor

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"muster/cmd/internal/server"
	"muster/events/english"
	"muster/events/problem"
)

func ok(format string, args ...any) Finding {
	return Finding{Outcome: OK, Text: fmt.Sprintf(format, args...)}
}

func bad(do, format string, args ...any) Finding {
	return Finding{Outcome: Bad, Text: fmt.Sprintf(format, args...), Do: do}
}

func unknown(do, format string, args ...any) Finding {
	return Finding{Outcome: Unknown, Text: fmt.Sprintf(format, args...), Do: do}
}

// ofServer is a check of what only a running server knows.
func ofServer(f *Facts, look func(*server.State) Finding) Finding {
	if f.Server == nil {
		return unknown("start the server, and look again", "no server has answered")
	}
	return look(f.Server)
}

func checkServer(f *Facts) Finding {
	switch {
	case f.NoAnswer != nil:
		p := problem.From(f.NoAnswer)
		return bad(cmp.Or(p.Hint, "read its log; if it does nothing, stop it and start it again"),
			"a server runs on the folder, and does not say how it is: %s", p.Detail)
	case f.Server == nil:
		return unknown("start it with: muster serve --data "+f.Dir,
			"no server runs on the folder")
	case f.Server.Problem != nil:
		return bad(f.Server.Problem.Hint, "it cannot do its work: %s", f.Server.Problem.Detail)
	}
	return ok("%s takes statements for the ledger %s, and has %s", f.Server.Name, f.Server.Ledger,
		english.Several(f.Server.Recorded, "record"))
}

func checkAddress(f *Facts) Finding {
	return ofServer(f, func(s *server.State) Finding {
		for _, address := range slices.Sorted(maps.Keys(f.Closed)) {
			return bad("look whether a firewall of this machine is in the way, and in the log",
				"nobody answers at %s: %s", address, f.Closed[address])
		}
		if s.NATS != "" {
			return ok("it answers at %s, and to NATS clients at %s", s.URL, s.NATS)
		}
		return ok("it answers at %s", s.URL)
	})
}

func checkNames(f *Facts) Finding {
	return ofServer(f, func(s *server.State) Finding {
		switch {
		case len(s.Unnamed) > 0:
			return bad("get a certificate that names all of --host",
				"its certificate is not for %s", strings.Join(s.Unnamed, ", "))
		case s.Open && len(s.Hosts) == 0:
			return bad("give its names with --host",
				"other machines reach it, and who asks for it by a name is refused")
		case len(s.Hosts) == 0:
			return ok("only this machine reaches it")
		}
		return ok("it answers to %s", strings.Join(s.Hosts, ", "))
	})
}

func checkTLS(f *Facts) Finding {
	return ofServer(f, func(s *server.State) Finding {
		c := s.Certificate
		switch {
		case c == nil && s.Open:
			return unknown("look that a proxy before it ends TLS, and that nothing else reaches "+
				"the port", "other machines reach it in the clear (--plaintext)")
		case c == nil:
			return ok("it speaks no TLS, and only this machine reaches it")
		case c.Problem != nil:
			return bad(c.Problem.Hint, "%s", c.Problem.Detail)
		case c.Expires.Before(f.Now.Add(certificateIn)):
			return bad("renew it: the server reads new files without a restart",
				"its certificate ends at %s", c.Expires.Format(time.RFC3339))
		}
		return ok("its certificate is good until %s", c.Expires.Format(time.RFC3339))
	})
}

func checkStream(f *Facts) Finding {
	return ofServer(f, func(s *server.State) Finding {
		switch {
		case s.StreamError != "":
			return bad("look at the NATS servers and the way to them; records are taken again "+
				"when they answer", "the stream does not answer: %s", s.StreamError)
		case s.Stream.Unfit != "":
			return bad("set these options with: nats stream edit "+s.Stream.Name, "%s",
				s.Stream.Unfit)
		case s.Stream.Last < s.Recorded:
			return bad("wait a moment; if it lasts, start the server again: it puts back what "+
				"the stream has lost", "the stream ends with record %d, and the journal with %d",
				s.Stream.Last, s.Recorded)
		}
		return ok("%s keeps what it is given, and has %s", s.Stream.Name,
			english.Several(s.Stream.Last, "message"))
	})
}

func checkReplicas(f *Facts) Finding {
	return ofServer(f, func(s *server.State) Finding {
		st := s.Stream
		switch {
		case s.Embedded:
			return ok("the stream is in the server itself: the journal is the other copy")
		case s.StreamError != "":
			return unknown("bring the stream back", "the stream does not answer")
		case st.Cluster == "":
			return bad("run three NATS servers as a cluster: deploy/README.md",
				"the stream is on one NATS server, which is no cluster")
		case st.Replicas < 3:
			return bad("give it three: nats stream edit "+st.Name+" --replicas 3",
				"the stream has %s on the cluster %s: with one NATS server, nothing is taken",
				english.Several(uint64(st.Replicas), "replica"), st.Cluster)
		case st.Leader == "":
			return bad("look at the NATS servers: more than half must run",
				"the stream has no leader")
		case len(st.Behind) > 0:
			return bad("see that these NATS servers run and have space, and start those anew "+
				"whose disk was full",
				"replicas are away, or behind: %s", strings.Join(st.Behind, ", "))
		}
		return ok("%d replicas on the cluster %s, all of them current", st.Replicas, st.Cluster)
	})
}

func checkSync(f *Facts) Finding {
	return ofServer(f, func(s *server.State) Finding {
		switch {
		case s.SyncAlways:
			return ok("the stream is synced before each acknowledgement")
		case s.Embedded:
			return ok("the stream is synced every %s; the journal beside it, before each "+
				"acknowledgement", s.SyncEvery)
		}
		var late, mute []string
		for _, n := range s.Nodes {
			if !n.Told {
				mute = append(mute, n.Name)
			} else if !n.SyncAlways {
				late = append(late, fmt.Sprintf("%s syncs every %s", n.Name, n.SyncInterval))
			}
		}
		switch {
		case late != nil:
			return bad("write sync_interval: always into their configuration", "a power cut can "+
				"take from NATS servers what they have acknowledged: %s", english.List(late))
		case mute != nil:
			return unknown("look for sync_interval in their configuration: it should be always; "+
				"deploy/nats-server.conf lets a Muster server ask",
				"how often NATS servers sync cannot be seen from here: %s", english.List(mute))
		}
		return unknown("look for sync_interval in the configuration of each NATS server: it "+
			"should be always", "how often the NATS servers sync cannot be seen from here")
	})
}

func checkTree(f *Facts) Finding {
	switch {
	case f.Server != nil && f.Server.Damaged != nil:
		return bad(f.Server.Damaged.Hint, "%s", f.Server.Damaged.Detail)
	case f.Server != nil:
		return ok("the first and the last of %s are proved in the tree",
			english.Several(f.Server.Recorded, "record"))
	case f.Stopped == nil:
		return unknown("start or stop the server, and look again", "the journal is in use")
	case f.Stopped.Err != nil:
		p := problem.From(f.Stopped.Err)
		return bad(cmp.Or(p.Hint, "keep all files, and look with: muster verify "+f.Dir), "%s",
			p.Detail)
	}
	return ok("the pages of the journal are sound, and the tiles make the root of %s",
		english.Several(f.Stopped.Records, "record"))
}

func checkCopy(f *Facts) Finding {
	switch {
	case f.Server != nil:
		return ok("the server goes on from no copy that may lack records")
	case f.Stopped == nil || f.Stopped.Err != nil:
		return unknown("look again when the journal can be read", "the journal cannot be read")
	case f.Stopped.IsCopy:
		return bad("start the server beside what has more, or see: muster restore --help",
			"the journal is %s", f.Stopped.Copied)
	}
	return ok("the journal is no copy that may lack records")
}

func checkClock(f *Facts) Finding {
	return ofServer(f, func(s *server.State) Finding {
		st := s.Stream
		switch {
		case s.Embedded:
			return ok("NATS is in the server, and has its clock")
		case s.StreamError != "":
			return unknown("bring the stream back", "the stream does not answer")
		case st.Ahead.Abs() > clockOff+st.Within:
			return bad("have both machines set their clocks (NTP)",
				"the clock of the NATS server %s this one's by %s", aheadOrBehind(st.Ahead),
				st.Ahead.Abs().Round(time.Millisecond))
		}
		return ok("the clock of the NATS server is this one's to %s",
			(st.Ahead.Abs() + st.Within).Round(time.Millisecond))
	})
}

func aheadOrBehind(d time.Duration) string {
	if d > 0 {
		return "is ahead of"
	}
	return "is behind"
}

func checkTime(f *Facts) Finding {
	var last time.Time
	switch {
	case f.Server != nil:
		last = f.Server.LastRecorded
	case f.Stopped != nil && f.Stopped.Err == nil:
		last = f.Stopped.Last
	}
	switch {
	case last.IsZero():
		return unknown("look again when there are records that can be read", "no record is known")
	case last.After(f.Now.Add(clockBehind)):
		return bad("find out which server's clock is wrong, and set it (NTP): recorded times "+
			"never go back", "the last record was made at %s, and here it is %s",
			last.Format(time.RFC3339), f.Now.UTC().Format(time.RFC3339))
	}
	return ok("the last record was made at %s", last.Format(time.RFC3339))
}

func checkProjections(f *Facts) Finding {
	return ofServer(f, func(s *server.State) Finding {
		if s.Projected+projectedIn < s.Recorded {
			return bad("wait; if it lasts, start the server again, and read its log",
				"questions are answered from record %d, and the last is %d", s.Projected,
				s.Recorded)
		}
		return ok("questions are answered from record %d", s.Projected)
	})
}

func checkPermissions(f *Facts) Finding {
	switch {
	case len(f.Exposed) > 0:
		return bad("type what stands behind the colon", "%s", strings.Join(f.Exposed, "; "))
	case len(f.Foreign) > 0:
		return bad("give them to the folder's owner with chown, and run the server as that user",
			"these files have another owner than the folder: %s", strings.Join(f.Foreign, ", "))
	}
	return ok("the folder is its owner's alone, and so are the keys")
}

func checkKeys(f *Facts) Finding {
	if f.NoKey {
		return bad("put it back from a backup that was made with --keys",
			"the folder has no %s: nobody believes the server without it", server.CheckpointKeyFile)
	}
	return ok("the checkpoint key is there")
}

func checkSpace(f *Facts) Finding {
	d := f.Disk
	switch {
	case d.Err != nil:
		return unknown("look with df", "how much space there is cannot be seen: %v", d.Err)
	case d.InMemory:
		return bad("move the folder to a disk", "the folder is in memory, and gone with the power")
	case d.Free < leastFree || d.Free*100 < d.Size*leastShare:
		return bad("make room, or move the folder to a larger disk",
			"%s are left of %s", bytesOf(d.Free), bytesOf(d.Size))
	case d.Most > 0 && d.Files*100 < d.Most*leastShare:
		return bad("remove files from the disk", "%d more files can be made, of %d", d.Files,
			d.Most)
	}
	return ok("%s are left of %s", bytesOf(d.Free), bytesOf(d.Size))
}

func bytesOf(n uint64) string {
	switch {
	case n >= 10<<30:
		return fmt.Sprintf("%d GiB", n>>30)
	case n >= 10<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d KiB", n>>10)
}

func checkSpeed(f *Facts) Finding {
	s := f.Speed
	switch {
	case s.Err != nil:
		return bad("look whether the disk is full, or may only be read",
			"nothing can be written in the folder: %v", s.Err)
	case s.Middle > slowSync:
		return bad("use a disk that syncs faster: each commit waits for it",
			"a small write takes %s to come to the disk, and %s at worst of %d",
			round(s.Middle), round(s.Slowest), s.Writes)
	}
	return ok("a small write takes %s to come to the disk, and %s at worst of %d",
		round(s.Middle), round(s.Slowest), s.Writes)
}

func round(d time.Duration) time.Duration { return d.Round(10 * time.Microsecond) }

func checkBackup(f *Facts) Finding {
	const do = "make one, and keep it on another machine: muster backup DIR"
	first := time.Time{}
	switch {
	case f.Server != nil:
		first = f.Server.FirstRecorded
	case f.Stopped != nil:
		first = f.Stopped.First
	}
	switch age := f.Now.Sub(f.Backup.Taken); {
	case f.BackupErr != nil:
		return unknown(do, "when the last backup was made cannot be read: %v", f.BackupErr)
	case !f.HasBackup && (first.IsZero() || f.Now.Sub(first) < f.BackupWithin):
		return unknown(do, "no backup was made with muster yet; the ledger is young")
	case !f.HasBackup:
		return bad(do, "no backup was ever made with muster")
	case age > f.BackupWithin:
		return bad(do, "the last backup is %s old", age.Round(time.Minute))
	}
	return ok("the last backup has %s, was made at %s, and is in %s",
		english.Several(f.Backup.Records, "record"), f.Backup.Taken.Format(time.RFC3339),
		f.Backup.To)
}

func checkScrub(f *Facts) Finding {
	return ofServer(f, func(s *server.State) Finding {
		const do = "read the server's log; it reads all of both twice an hour, and says why not"
		c := s.Copies
		switch {
		case c.Problem != nil:
			return bad(cmp.Or(c.Problem.Hint, do), "%s", c.Problem.Detail)
		case c.At == nil && f.Now.Sub(s.Started) < scrubWithin:
			return unknown("look again later", "journal and stream are compared for the first "+
				"time since the start at %s", s.Started.UTC().Format(time.RFC3339))
		case c.At == nil:
			return bad(do, "journal and stream were not compared since the start at %s",
				s.Started.UTC().Format(time.RFC3339))
		case f.Now.Sub(*c.At) > scrubWithin:
			return bad(do, "journal and stream were last compared at %s",
				c.At.Format(time.RFC3339))
		}
		kept := ""
		if len(c.Kept) > 0 {
			kept = "; damaged streams are kept in " + strings.Join(c.Kept, ", ")
		}
		return ok("journal and stream were whole and the same at %s, up to record %d%s",
			c.At.Format(time.RFC3339), c.Through, kept)
	})
}
