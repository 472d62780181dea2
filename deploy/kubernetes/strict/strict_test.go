// Package strict holds the manifest against Kubernetes' own types: a module of its own, so that shoal does not depend on them.
package strict

import (
	"os"
	"strconv"
	"testing"

	batch "k8s.io/api/batch/v1"
	"sigs.k8s.io/yaml"
)

// TestTheManifestIsAJob: no field is unknown to Kubernetes, shards and completions agree, and the pods may change nothing of the release.
func TestTheManifestIsAJob(t *testing.T) {
	text, err := os.ReadFile("../job.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var job batch.Job
	if err := yaml.UnmarshalStrict(text, &job); err != nil {
		t.Fatal(err)
	}
	if job.Spec.CompletionMode == nil || *job.Spec.CompletionMode != batch.IndexedCompletion || job.Spec.Completions == nil {
		t.Fatalf("%+v", job.Spec)
	}
	pod := job.Spec.Template.Spec
	c := pod.Containers[0]
	shards := ""
	for _, e := range c.Env {
		if e.Name == "SHOAL_SHARDS" {
			shards = e.Value
		}
	}
	if shards != strconv.Itoa(int(*job.Spec.Completions)) {
		t.Errorf("%s shards for %d completions", shards, *job.Spec.Completions)
	}
	if !c.VolumeMounts[0].ReadOnly || !pod.Volumes[0].PersistentVolumeClaim.ReadOnly || !*c.SecurityContext.ReadOnlyRootFilesystem ||
		!*pod.SecurityContext.RunAsNonRoot {
		t.Errorf("%+v", c)
	}
	if c.Resources.Limits.Memory().IsZero() || c.Resources.Limits.Cpu().IsZero() {
		t.Errorf("no limits: %+v", c.Resources)
	}
}
