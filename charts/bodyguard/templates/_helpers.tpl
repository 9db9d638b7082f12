{{/* The values in force: what was set, before the profile, before the defaults. Everything else reads these. */}}
{{- define "bodyguard.values" -}}
{{- if ne .Release.Namespace "bodyguard-system" -}}
{{- fail (printf "the mesh's own services are known by their namespace: install with --namespace bodyguard-system, not %s" .Release.Namespace) -}}
{{- end -}}
{{- $profile := .Values.profile | default "default" -}}
{{- $file := printf "profiles/%s.yaml" $profile -}}
{{- if not (.Files.Get $file) -}}
{{- fail (printf "profile: there is no '%s'; choose default, demo or minimal" $profile) -}}
{{- end -}}
{{- $values := .Files.Get "profiles/default.yaml" | fromYaml -}}
{{- $values = mustMergeOverwrite $values (.Files.Get $file | fromYaml) -}}
{{- $values = mustMergeOverwrite $values (deepCopy .Values) -}}
{{- toYaml $values -}}
{{- end -}}

{{- define "bodyguard.labels" -}}
app: {{ .name }}
app.kubernetes.io/name: bodyguard-{{ .name }}
app.kubernetes.io/part-of: bodyguard
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- end -}}

{{- define "bodyguard.image" -}}
{{ .values.hub }}/{{ .name }}:{{ .values.tag | default .root.Chart.AppVersion }}
{{- end -}}

{{/* Which process serves a service: its own, or the one of all. */}}
{{- define "bodyguard.server" -}}
{{ ternary "combined" .name (eq .values.controlPlane.mode "combined") }}
{{- end -}}

{{/* One process of the control plane. Of: root, values, name, image, replicas, resources, ports (list of name, port), admin, env
     (list of name, value), api (whether it talks to the API server), joins (whether it joins the mesh by its own token), lingers
     (for how many seconds it goes on once it is to end: the API server calls it until it has heard). */}}
{{- define "bodyguard.deployment" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: bodyguard-{{ .name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "bodyguard.labels" . | nindent 4 }}
spec:
  replicas: {{ .replicas }}
  revisionHistoryLimit: 3
  strategy:
    rollingUpdate: {maxUnavailable: 0, maxSurge: 1}
  selector:
    matchLabels: {app: {{ .name }}, app.kubernetes.io/part-of: bodyguard}
  template:
    metadata:
      labels:
        {{- include "bodyguard.labels" . | nindent 8 }}
        bodyguard.dev/inject: disabled
      annotations:
        prometheus.io/scrape: "true"
        prometheus.io/port: {{ .admin | quote }}
        prometheus.io/path: /metrics
    spec:
      serviceAccountName: {{ .name }}
      automountServiceAccountToken: {{ .api }}
      enableServiceLinks: false
      {{- with .values.imagePullSecrets }}
      imagePullSecrets: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .values.nodeSelector }}
      nodeSelector: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .values.tolerations }}
      tolerations: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .values.affinity }}
      affinity: {{- toYaml . | nindent 8 }}
      {{- else }}
      affinity:
        podAntiAffinity:
          preferredDuringSchedulingIgnoredDuringExecution:
            - weight: 100
              podAffinityTerm:
                topologyKey: kubernetes.io/hostname
                labelSelector:
                  matchLabels: {app: {{ .name }}, app.kubernetes.io/part-of: bodyguard}
      {{- end }}
      securityContext:
        runAsNonRoot: true
        runAsUser: 1337
        runAsGroup: 1337
        fsGroup: 1337
        seccompProfile: {type: RuntimeDefault}
      containers:
        - name: {{ .name }}
          image: {{ include "bodyguard.image" (dict "root" .root "values" .values "name" .image) }}
          imagePullPolicy: {{ .values.imagePullPolicy }}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {drop: [ALL]}
          ports:
            {{- range .ports }}
            - {name: {{ .name }}, containerPort: {{ .port }}}
            {{- end }}
            - {name: http-admin, containerPort: {{ .admin }}}
          env:
            - {name: BODYGUARD_HOST, value: "::"}
            - {name: BODYGUARD_STATE, value: /var/lib/bodyguard}
            - {name: BODYGUARD_TRUST_DOMAIN, value: {{ .values.trustDomain | quote }}}
            {{- if .joins }}
            - {name: BODYGUARD_TOKEN, value: /var/run/secrets/bodyguard/token}
            - {name: BODYGUARD_ROOT, value: /var/run/bodyguard/root/root.pem}
            - {name: BODYGUARD_IDENTITY, value: "bodyguard-identity.{{ .root.Release.Namespace }}.svc:15013"}
            {{- end }}
            {{- with .values.tracing.otlp }}
            {{- if .endpoint }}
            - name: POD_NAME
              valueFrom: {fieldRef: {fieldPath: metadata.name}}
            - {name: OTEL_EXPORTER_OTLP_ENDPOINT, value: {{ .endpoint | quote }}}
            - {name: OTEL_EXPORTER_OTLP_PROTOCOL, value: {{ .protocol | quote }}}
            - {name: OTEL_RESOURCE_ATTRIBUTES, value: "k8s.namespace.name={{ $.root.Release.Namespace }},k8s.pod.name=$(POD_NAME)"}
            {{- end }}
            {{- end }}
            {{- range .env }}
            - {name: {{ .name }}, value: {{ .value | quote }}}
            {{- end }}
          startupProbe:
            httpGet: {path: /healthz/ready, port: http-admin}
            periodSeconds: 1
            failureThreshold: 120
          readinessProbe:
            httpGet: {path: /healthz/ready, port: http-admin}
            periodSeconds: 5
          livenessProbe:
            tcpSocket: {port: http-admin}
            periodSeconds: 10
            failureThreshold: 6
          {{- with .lingers }}
          lifecycle:
            preStop: {sleep: {seconds: {{ . }}}}
          {{- end }}
          {{- /* The two emptyDirs, and logs. */}}
          {{- $disk := dict "requests" (dict "ephemeral-storage" "16Mi") "limits" (dict "ephemeral-storage" "192Mi") }}
          {{- $resources := mustMergeOverwrite $disk .resources }}
          {{- include "bodyguard.bounded" (dict "name" .name "resources" $resources) }}
          resources: {{- toYaml $resources | nindent 12 }}
          volumeMounts:
            - {name: state, mountPath: /var/lib/bodyguard}
            - {name: tmp, mountPath: /tmp}
            {{- if .joins }}
            - {name: bodyguard-token, mountPath: /var/run/secrets/bodyguard, readOnly: true}
            - {name: bodyguard-root, mountPath: /var/run/bodyguard/root, readOnly: true}
            {{- end }}
      volumes:
        - name: state
          emptyDir: {sizeLimit: 64Mi}
        - name: tmp
          emptyDir: {sizeLimit: 64Mi}
        {{- if .joins }}
        - name: bodyguard-token
          projected:
            sources:
              - serviceAccountToken: {audience: bodyguard, expirationSeconds: 43200, path: token}
        - name: bodyguard-root
          configMap: {name: bodyguard-root}
        {{- end }}
{{- end -}}

{{/* A certificate's life, such as 24h and 15m, as ISO 8601 has it. */}}
{{- define "bodyguard.life" -}}
{{- $seconds := mul (regexFind "^[0-9]+" . | int64) (get (dict "h" 3600 "m" 60 "s" 1) (regexFind "[hms]$" .)) -}}
{{- if lt $seconds 10 -}}
{{- fail (printf "mesh.certificateTTL: must be 10s or more, was %s" .) -}}
{{- end -}}
PT{{ . | upper }}
{{- end -}}

{{/* A quantity as a number. */}}
{{- define "bodyguard.amount" -}}
{{- $text := toString . -}}
{{- $unit := regexFind "([numkMGTPE]|[KMGTPE]i)$" $text -}}
{{- $factors := dict "" 1.0 "n" 1e-9 "u" 1e-6 "m" 1e-3 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "P" 1e15 "E" 1e18
      "Ki" 1024.0 "Mi" 1048576.0 "Gi" 1073741824.0 "Ti" 1099511627776.0 "Pi" 1125899906842624.0 "Ei" 1152921504606846976.0 -}}
{{- mulf (trimSuffix $unit $text | float64) (get $factors $unit) -}}
{{- end -}}

{{/* Fails where more is set aside than may be used: no pod would come of it. Of: name (whose), resources. */}}
{{- define "bodyguard.bounded" -}}
{{- $limits := .resources.limits | default dict -}}
{{- $name := .name -}}
{{- range $resource, $request := .resources.requests -}}
{{- $limit := get $limits $resource -}}
{{- if and $limit (gt (include "bodyguard.amount" $request | float64) (include "bodyguard.amount" $limit | float64)) -}}
{{- fail (printf "%s.resources: requests.%s=%v is more than limits.%s=%v allows; lower the one or raise the other" $name $resource $request $resource $limit) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Conditions in CEL, all of which must hold: a list of name, expression. */}}
{{- define "bodyguard.conditions" -}}
{{- range $index, $one := . }}
{{- if $index }}{{ "\n" }}{{ end -}}
- name: {{ $one.name }}
  expression: {{ $one.expression | quote }}
{{- end }}
{{- end -}}

{{/* Rules of admission for whatever has pods. */}}
{{- define "bodyguard.writable" -}}
- {apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods], scope: Namespaced}
- {apiGroups: [""], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [replicationcontrollers], scope: Namespaced}
- {apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [deployments, statefulsets, daemonsets, replicasets], scope: Namespaced}
- {apiGroups: [batch], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [jobs, cronjobs], scope: Namespaced}
{{- end -}}
