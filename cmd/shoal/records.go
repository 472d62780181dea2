package main

import (
	"errors"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/report"
	"github.com/shallow-waters/shoal/internal/trial/record"
)

// resumeFlag is --resume of the commands that keep every answer.
func resumeFlag() cli.Flag {
	return &cli.StringFlag{Name: "resume", Usage: "`FILE` of records that finished samples are written to, and read from when it is there"}
}

// openRecords opens --resume or --records for the answers of a result; settings are what these depend on, and parts what a whole run has.
func openRecords(c *cli.Context, r *report.Result, s *samples, settings any, parts []record.Part) (*record.File, error) {
	plan := record.Plan{Question: string(r.Question), Model: r.Model.SHA256, Subject: r.Subject, Settings: settings, Version: version()}
	if s != nil {
		plan.Data = s.set.SHA256
	}
	return openPlan(c, plan, parts)
}

// openPlan opens --resume for a plan, or --records for the plan of a whole run, whose shards are of one build.
func openPlan(c *cli.Context, p record.Plan, parts []record.Part) (*record.File, error) {
	flag := "resume"
	if c.IsSet("records") {
		flag, p.Settings, p.Version = "records", record.Whole{Parts: parts, Settings: p.Settings}, buildOf()
	}
	f, err := record.Open(c.String(flag), p)
	var other *record.OtherError
	if errors.As(err, &other) {
		return nil, usageError("name another file, or give the same model, data and settings", "--%s %v", flag, err)
	}
	return f, err
}
