{#- coverage_families(): the families whose coverage is counted, each a pair of columns of met_coverage; those of
    metric_families, and traced_transactions: transactions of the chains that have traces. -#}
{% macro coverage_families() %}
    {{- return([
        'commits', 'pulls_opened', 'pulls_closed', 'reviews', 'issues', 'comments', 'releases', 'stars', 'forks',
        'repo_stats', 'downloads', 'versions', 'dependents', 'transactions', 'traced_transactions', 'traces', 'ledger'
    ]) -}}
{% endmacro %}
